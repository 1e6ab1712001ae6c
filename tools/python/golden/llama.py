"""What transformers computes for tiny models of Llama's kin: llama.json.

Weights come from a formula of integers that packages/llama/test/tiny-llama.ts repeats, so none are stored.
"""
import json

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSequenceClassification

from variants import floats, weights

SIZES = dict(
    vocab_size=40,
    hidden_size=12,
    intermediate_size=20,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    head_dim=6,
    max_position_embeddings=64,
    bos_token_id=1,
    eos_token_id=39,
    pad_token_id=0,
    tie_word_embeddings=False,
)
LLAMA3 = {"rope_type": "llama3", "rope_theta": 500.0, "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 32}
VARIANTS = {
    "Llama": {"model_type": "llama"},
    "Llama with biases": {"model_type": "llama", "attention_bias": True, "mlp_bias": True},
    "Llama 3.1 (scaled frequencies)": {"model_type": "llama", "rope_parameters": LLAMA3},
    "Llama, linear scaling": {"model_type": "llama", "rope_parameters": {"rope_type": "linear", "rope_theta": 100.0, "factor": 2.5}},
    "SmolLM2 (tied, three heads to one)": {"model_type": "llama", "num_attention_heads": 3, "num_key_value_heads": 1, "head_dim": 4, "tie_word_embeddings": True, "rms_norm_eps": 1e-5},
    "TinyLlama (a head each)": {"model_type": "llama", "num_key_value_heads": 4},
    "Mistral": {"model_type": "mistral", "sliding_window": 32},
    "Qwen2": {"model_type": "qwen2"},
    "Qwen2.5 (tied)": {"model_type": "qwen2", "tie_word_embeddings": True, "rope_parameters": {"rope_type": "default", "rope_theta": 1000000.0}},
    "Qwen3": {"model_type": "qwen3"},
}
TEXTS = [[3, 14, 15, 9, 26, 5, 35, 8], [35, 8, 9]]
NEW_TOKENS = 14
LABELS = [2, 0]


def scaled(name, shape, seed):
    values = weights(name, shape, seed)
    return values + 1 if name.split(".")[-2].endswith("norm") else values * 0.6


def fill(model, seed):
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(scaled(name, parameter.shape, seed))
    return model.eval()


def padded(side):
    length = max(map(len, TEXTS))
    rows = []
    for text in TEXTS:
        padding = length - len(text)
        ids, mask = [0] * padding, [0] * padding
        rows.append((ids + text, mask + [1] * len(text)) if side == "left" else (text + ids, [1] * len(text) + mask))
    return torch.tensor([ids for ids, _ in rows]), torch.tensor([mask for _, mask in rows])


def of_variant(name, changes, seed):
    changes = dict(changes)
    sizes = {**SIZES, **changes}
    config = AutoConfig.for_model(sizes.pop("model_type"), **sizes, attn_implementation="eager")
    config.num_labels = 3
    model = fill(AutoModelForCausalLM.from_config(config), seed)
    ids, mask = padded("right")
    output = model(input_ids=ids, attention_mask=mask, labels=ids.masked_fill(mask == 0, -100), output_hidden_states=True)
    output.loss.backward()
    generated = []
    for text in TEXTS:
        given = torch.tensor([text])
        tokens = model.generate(input_ids=given, attention_mask=torch.ones_like(given), max_new_tokens=NEW_TOKENS, do_sample=False)
        generated.append(tokens[0, len(text):].tolist())
    classifier = fill(AutoModelForSequenceClassification.from_config(config), seed)
    scores = classifier(input_ids=ids, attention_mask=mask, labels=torch.tensor(LABELS))
    scores.loss.backward()
    layer = classifier.model.layers[0]
    return {
        "name": name,
        # What AutoConfig makes of it, as it stands in config.json.
        "config": json.loads(config.to_json_string(use_diff=False)),
        "hidden": floats(output.hidden_states[-1][mask.bool()]),
        "logits": floats(output.logits[mask.bool()]),
        "loss": output.loss.item(),
        "generated": generated,
        "classifierLogits": floats(scores.logits),
        "classifierLoss": scores.loss.item(),
        "gradients": {
            path: floats(classifier.get_submodule(path).weight.grad)
            for path in (
                "model.layers.0.self_attn.q_proj",
                "model.layers.0.self_attn.k_proj",
                "model.layers.0.self_attn.v_proj",
                "model.layers.0.mlp.gate_proj",
                "model.layers.0.input_layernorm",
                "model.layers.1.mlp.down_proj",
                "model.norm",
                "score",
            )
            + (("model.layers.0.self_attn.q_norm",) if hasattr(layer.self_attn, "q_norm") else ())
        },
    }


def record(out, seed):
    golden = {
        "seed": seed,
        "texts": TEXTS,
        "labels": LABELS,
        "variants": [of_variant(name, changes, seed) for name, changes in VARIANTS.items()],
    }
    (out / "llama.json").write_text(json.dumps(golden))
