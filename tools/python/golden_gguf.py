"""Records golden values of GGUF files for packages/hub: blocks of every type that is read with what PyPI's gguf makes of
them, and a tiny Llama as a GGUF file with the tensors that transformers loads from it.

usage: python tools/python/golden_gguf.py [--seed 0] [--out packages/hub/test/golden-gguf.json]
Needs numpy, torch, transformers and gguf (versions are recorded).
"""

import argparse
import base64
import json
import tempfile
from importlib.metadata import version
from pathlib import Path

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as Type
from gguf.constants import GGML_QUANT_SIZES
from gguf.quants import dequantize, quantize
from transformers import LlamaConfig, LlamaForCausalLM

TYPES = [Type.F32, Type.F16, Type.BF16, Type.Q8_0, Type.Q4_0, Type.Q4_1, Type.Q4_K, Type.Q6_K]
# Where a block has its float16 scales.
SCALES = {Type.Q8_0: [0], Type.Q4_0: [0], Type.Q4_1: [0, 2], Type.Q4_K: [0, 2], Type.Q6_K: [208]}
VOCAB, HIDDEN, INNER, HEADS, KV_HEADS = 40, 32, 64, 4, 2
BLOCK = "blk.0"


def text(array: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def random_blocks(kind: Type, rng: np.random.Generator, count: int = 3) -> np.ndarray:
    """Any bytes, with scales that are finite: a tiny one, a negative one, a plain one."""
    blocks = rng.integers(0, 256, (count, GGML_QUANT_SIZES[kind][1]), dtype=np.uint8)
    for at in SCALES[kind]:
        scales = np.array([3e-6, -0.37, 1.75][:count], dtype=np.float16) * rng.uniform(0.5, 1, count).astype(np.float16)
        blocks[:, at : at + 2] = scales.view(np.uint8).reshape(count, 2)
    return blocks


def recorded_blocks(rng: np.random.Generator) -> dict[str, dict[str, str]]:
    result = {}
    for kind in TYPES:
        if kind in SCALES:
            blocks = random_blocks(kind, rng).reshape(1, -1)
            values = dequantize(blocks, kind)
        else:
            values = rng.standard_normal((1, 32)).astype(np.float32) * 10
            blocks = quantize(values, kind)
            values = dequantize(blocks, kind)
        result[kind.name] = {"blocks": text(blocks), "values": text(values.astype(np.float32))}
    return result


def permuted(weight: np.ndarray, heads: int) -> np.ndarray:
    """llama.cpp's order of rows (LlamaModel.permute of its convert_hf_to_gguf.py)."""
    return weight.reshape(heads, 2, weight.shape[0] // heads // 2, *weight.shape[1:]).swapaxes(1, 2).reshape(weight.shape)


def tiny_llama(seed: int, path: Path) -> dict[str, str]:
    """Writes a model of one layer, every weight in another type, and gives what transformers loads from it."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=VOCAB, hidden_size=HIDDEN, intermediate_size=INNER, num_hidden_layers=1, num_attention_heads=HEADS,
        num_key_value_heads=KV_HEADS, max_position_embeddings=64, rms_norm_eps=1e-5, tie_word_embeddings=False,
    )
    state = {name: value.numpy() for name, value in LlamaForCausalLM(config).state_dict().items()}
    layer = "model.layers.0"
    tensors = {
        "token_embd.weight": (state["model.embed_tokens.weight"], Type.Q8_0),
        "output.weight": (state["lm_head.weight"], Type.F16),
        "output_norm.weight": (state["model.norm.weight"] + 0.5, Type.F32),
        f"{BLOCK}.attn_norm.weight": (state[f"{layer}.input_layernorm.weight"] * 2, Type.F32),
        f"{BLOCK}.ffn_norm.weight": (state[f"{layer}.post_attention_layernorm.weight"], Type.F32),
        f"{BLOCK}.attn_q.weight": (permuted(state[f"{layer}.self_attn.q_proj.weight"], HEADS), Type.Q4_0),
        f"{BLOCK}.attn_k.weight": (permuted(state[f"{layer}.self_attn.k_proj.weight"], KV_HEADS), Type.Q4_1),
        f"{BLOCK}.attn_v.weight": (state[f"{layer}.self_attn.v_proj.weight"], Type.BF16),
        f"{BLOCK}.attn_output.weight": (state[f"{layer}.self_attn.o_proj.weight"], Type.F32),
        f"{BLOCK}.ffn_gate.weight": (state[f"{layer}.mlp.gate_proj.weight"], Type.Q4_1),
        f"{BLOCK}.ffn_up.weight": (state[f"{layer}.mlp.up_proj.weight"], Type.Q8_0),
        f"{BLOCK}.ffn_down.weight": (state[f"{layer}.mlp.down_proj.weight"], Type.Q4_0),
    }
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(1)
    writer.add_context_length(64)
    writer.add_embedding_length(HIDDEN)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_rope_freq_base(50_000.0)
    writer.add_rope_dimension_count(HIDDEN // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(VOCAB)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list([f"t{i}" for i in range(VOCAB)])
    writer.add_token_types([3] + [1] * (VOCAB - 1))
    writer.add_token_merges(["t 1", "t 2"])
    writer.add_eos_token_id(2)
    writer.add_chat_template("{{ messages }}")
    for name, (values, kind) in tensors.items():
        writer.add_tensor(name, quantize(values.astype(np.float32), kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    loaded = LlamaForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32)
    return {name: text(value.numpy()) for name, value in loaded.state_dict().items()}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[2] / "packages/hub/test/golden-gguf.json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tiny.gguf"
        tensors = tiny_llama(options.seed, path)
        file = base64.b64encode(path.read_bytes()).decode()
    document = {
        "madeBy": "tools/python/golden_gguf.py",
        "seed": options.seed,
        "versions": {name: version(name) for name in ("gguf", "numpy", "torch", "transformers")},
        "blocks": recorded_blocks(np.random.default_rng(options.seed)),
        "tinyLlama": {"file": file, "tensors": tensors},
    }
    options.out.write_text(json.dumps(document, indent=2) + "\n")
    print(f"{options.out}: {options.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
