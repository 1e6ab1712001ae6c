"""A tiny Llama with a byte-level tokenizer and a chat template, as a folder and as a GGUF file, and what transformers
writes with it: generation/."""
import json

import gguf
import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from byte_level import build
from texts import CHOSEN, MARKS, WORDS, random_text

TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}\n"
    "{% if loop.first and message['role'] != 'system' %}sys: be brief<|end|>{% endif %}\n"
    "{{ message['role'] + ': ' + message['content'] | trim + '<|end|>' }}\n"
    "{% endfor %}\n"
    "{% if add_generation_prompt %}{{ 'assistant:' }}{% endif %}"
)
CONVERSATIONS = [
    [{"role": "user", "content": " hello there "}],
    [
        {"role": "system", "content": "talk"},
        {"role": "user", "content": "a\nb"},
        {"role": "assistant", "content": "yes: 12"},
        {"role": "user", "content": "and zażółć?"},
    ],
]
PROMPTS = ["the card", "naïve 🙂 text\n", "1234 and more of it, as it was before"]


def make_model(tokenizer, seed):
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=160, rms_norm_eps=1e-5, rope_theta=10000.0,
        tie_word_embeddings=True, bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
        initializer_range=0.3,
    )
    torch.manual_seed(seed)
    model = LlamaForCausalLM(config).eval()
    # In float16 from the start, so that the file holds the very values; the buffers of the rotary embedding stay as they are.
    for parameter in model.parameters():
        parameter.data = parameter.data.half().float()
    return model


def written(model, tokenizer, prompt, **options):
    inputs = tokenizer(prompt, return_tensors="pt", add_special_tokens=options.pop("special", True))
    with torch.no_grad():
        ids = model.generate(
            **{name: inputs[name] for name in ("input_ids", "attention_mask")}, do_sample=False, pad_token_id=tokenizer.eos_token_id, **options
        )[0, inputs["input_ids"].shape[1]:]
    return {
        "promptTokens": inputs["input_ids"].shape[1],
        "tokens": ids.tolist(),
        "text": tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False),
    }


def permuted(weight, heads):
    """llama.cpp's order of rotary dimensions (convert_hf_to_gguf.py, LlamaModel.permute)."""
    rows, columns = weight.shape
    return weight.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)


def write_gguf(path, model, tokenizer):
    config, weights = model.config, {name: value.numpy() for name, value in model.state_dict().items()}
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(10000.0)
    writer.add_rope_dimension_count(config.hidden_size // config.num_attention_heads)
    writer.add_vocab_size(config.vocab_size)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("llama-bpe")
    tokens = [tokenizer.convert_ids_to_tokens(token) for token in range(config.vocab_size)]
    special = set(tokenizer.all_special_tokens) | set(tokenizer.get_added_vocab())
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.CONTROL if token in special else gguf.TokenType.NORMAL for token in tokens])
    merges = json.loads(tokenizer.backend_tokenizer.to_str())["model"]["merges"]
    writer.add_token_merges([" ".join(merge) if isinstance(merge, list) else merge for merge in merges])
    writer.add_bos_token_id(tokenizer.bos_token_id)
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_pad_token_id(tokenizer.eos_token_id)
    writer.add_add_bos_token(True)
    writer.add_chat_template(TEMPLATE)
    names = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
             "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
             "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm"}
    writer.add_tensor("token_embd.weight", weights["model.embed_tokens.weight"].astype(np.float16))
    writer.add_tensor("output_norm.weight", weights["model.norm.weight"])
    for layer in range(config.num_hidden_layers):
        for theirs, ours in names.items():
            value = weights[f"model.layers.{layer}.{theirs}.weight"]
            if ours in ("attn_q", "attn_k"):
                value = permuted(value, config.num_attention_heads if ours == "attn_q" else config.num_key_value_heads)
            writer.add_tensor(f"blk.{layer}.{ours}.weight", value if value.ndim == 1 else value.astype(np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def record(out, seed):
    rng = np.random.default_rng(seed)
    corpus = [random_text(rng) for _ in range(300)] + WORDS + MARKS + CHOSEN
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=build("llama3", corpus), bos_token="<|start|>", eos_token="<|end|>", pad_token="<|end|>", chat_template=TEMPLATE,
    )
    model = make_model(tokenizer, seed)
    folder = out / "generation"
    folder.mkdir(parents=True, exist_ok=True)
    answers = {
        "greedy": [
            {"prompt": prompt, "options": {"maxNewTokens": 24, "repetitionPenalty": penalty},
             **written(model, tokenizer, prompt, max_new_tokens=24, repetition_penalty=penalty)}
            for prompt in PROMPTS for penalty in (1.0, 1.4)
        ],
        "conversations": [],
    }
    for messages in CONVERSATIONS:
        rendered = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        answers["conversations"].append(
            {"messages": messages, "rendered": rendered, **written(model, tokenizer, rendered, special=False, max_new_tokens=16)}
        )
    (folder / "answers.json").write_text(json.dumps(answers, indent=1, ensure_ascii=False) + "\n")
    model.half().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    write_gguf(folder / "tiny.gguf", model.float(), tokenizer)
