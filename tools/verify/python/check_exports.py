"""Loads what was merged and exported here in Python: transformers for the merged models, gguf for llama.cpp's adapter.

usage: python tools/verify/python/check_exports.py      with torch, transformers, bitsandbytes, safetensors and gguf installed

The embedded base is trained for a few steps on made-up intents. The merged models have to load by from_pretrained alone, with
labels and tokenizer, and to give the probabilities that the adapter gives here: to float16's and bfloat16's rounding, and
in 4 bits, which rounds the update, the same labels. The GGUF files, of this adapter and of one on a tiny Llama
that is a GGUF file itself, have to hold the saved values bit for bit.
"""
import json, subprocess, sys, tempfile
from pathlib import Path

import gguf
import numpy
import torch
from safetensors.numpy import load_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer, logging

root = Path(__file__).resolve().parents[3]
# Largest difference of a probability.
TOLERANCES = {"float16": 5e-3, "bfloat16": 5e-2}
GPT2 = {"attn_qkv": "attn.c_attn", "attn_output": "attn.c_proj", "ffn_up": "mlp.c_fc", "ffn_down": "mlp.c_proj"}
LLAMA = {
    "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
}


def probabilities(folder, texts, **options):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder, **options).eval()
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    batch = tokenizer(texts, return_tensors="pt", padding=True, truncation=True, max_length=32)
    with torch.no_grad():
        return model.config.id2label, model(**batch).logits.float().softmax(-1)


def merged(folder, said):
    ours = torch.tensor(said["probabilities"])
    names = dict(enumerate(said["labels"]))
    for dtype, tolerance in TOLERANCES.items():
        labels, theirs = probabilities(folder / dtype, said["texts"], dtype=torch.float32)
        error = (theirs - ours).abs().max().item()
        yield f"merged in {dtype}: probabilities differ by {error:.1e} at most", error <= tolerance and labels == names
    labels, theirs = probabilities(folder / "4bit", said["texts"])
    same = (theirs.argmax(-1) == ours.argmax(-1)).all().item()
    yield f"merged in 4 bits: probabilities differ by {(theirs - ours).abs().max().item():.1e} at most", same and labels == names


def permuted(weight, heads):
    """convert_hf_to_gguf.py, LlamaModel.permute."""
    return weight.reshape(heads, 2, weight.shape[0] // heads // 2, *weight.shape[1:]).swapaxes(1, 2).reshape(weight.shape)


def adapter(folder, name, architecture, blocks, layers):
    saved = load_file(folder / name / "adapter_model.safetensors")
    config = json.loads((folder / name / "adapter_config.json").read_text())
    base = json.loads((folder / name / "config.json").read_text())
    heads = {"attn_q": base["num_attention_heads"], "attn_k": base["num_key_value_heads"]} if architecture == "llama" else {}
    reader = gguf.GGUFReader(folder / f"{name}.gguf")
    value = lambda key: reader.get_field(key).contents()
    right = (value("general.architecture"), value("general.type"), value("adapter.type")) == (architecture, "adapter", "lora")
    yield f"gguf, {architecture}: alpha {value('adapter.lora.alpha')}", right and value("adapter.lora.alpha") == config["lora_alpha"]
    expected = sum(".lora_" in key for key in saved)
    right = len(reader.tensors) == expected
    for tensor in reader.tensors:
        _, block, layer, _, side = tensor.name.split(".")
        own = saved[f"base_model.model.{blocks}.{block}.{layers[layer]}.lora_{side[-1].upper()}.weight"]
        if side == "lora_b" and layer in heads:
            own = permuted(own, heads[layer])
        # ggml counts dimensions from the fastest: lora_a has [in, r], lora_b [r, out], as llama.cpp checks them.
        right = right and list(tensor.shape) == list(own.shape)[::-1] and numpy.array_equal(tensor.data, own)
    yield f"gguf, {architecture}: {len(reader.tensors)} tensors of {expected}", right


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        script = root / "tools/verify/python/make-exports.ts"
        subprocess.run([root / "node_modules/.bin/tsx", "--conditions=@qlora-js/source", script, folder], check=True, cwd=root)
        said = json.loads((folder / "said.json").read_text())
        failed = count = 0
        checked = [
            *merged(folder, said),
            *adapter(folder, "adapter", "gpt2", "transformer.h", GPT2),
            *adapter(folder, "llama-adapter", "llama", "model.layers", LLAMA),
        ]
        for line, right in checked:
            count += 1
            failed += not right
            print(f"{line}: {'right' if right else 'WRONG'}")
    print(f"{count - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    logging.set_verbosity_error()
    main()
