"""What transformers computes for tiny GPT-2s of every config variant: gpt2-variants.json.

Weights come from a formula of integers that tools/test/tiny-gpt2.ts repeats, so none are stored.
"""
import json

import numpy as np
import torch
from transformers import GPT2Config, GPT2LMHeadModel
from transformers.activations import ACT2FN
from transformers.generation import LogitsProcessorList, TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

SIZES = dict(vocab_size=40, n_positions=24, n_embd=8, n_layer=2, n_head=2, bos_token_id=39, eos_token_id=39)
# prelu and xielu have trained parameters of their own, which no GPT-2 checkpoint brings.
ACTIVATIONS = sorted(set(ACT2FN) - {"prelu", "xielu"})
PAD = 39
TEXTS = [[3, 14, 15, 9, 26, 5], [35, 8, 9]]


def variants():
    yield "default", {}
    for name in ACTIVATIONS:
        yield f"activation {name}", {"activation_function": name}
    yield "scores not scaled", {"scale_attn_weights": False}
    yield "scores scaled by layer", {"scale_attn_by_inverse_layer_idx": True}
    yield "scores scaled by layer only", {"scale_attn_weights": False, "scale_attn_by_inverse_layer_idx": True}
    yield "attention upcast", {"reorder_and_upcast_attn": True}
    yield "attention upcast, scaled by layer", {"reorder_and_upcast_attn": True, "scale_attn_by_inverse_layer_idx": True}
    yield "narrow mlp", {"n_inner": 12}
    yield "large epsilon", {"layer_norm_epsilon": 0.1}
    yield "one head", {"n_head": 1}
    yield "three layers", {"n_layer": 3}
    yield "head of its own", {"tie_word_embeddings": False}


def weights(name, shape, seed):
    start = seed
    for character in name:
        start = (start * 31 + ord(character)) % 2**32
    words = (np.arange(int(np.prod(shape)), dtype=np.uint64) * 2654435761 + start) % 2**32
    words = ((words ^ (words >> 15)) * 2246822519) % 2**32
    words = words ^ (words >> 13)
    values = words.astype(np.float64) / 2**32 - 0.5
    norm_weight = name.split(".")[-2].startswith("ln_") and name.endswith(".weight")
    return torch.from_numpy((values + 1 if norm_weight else values * 1.5).astype(np.float32).reshape(shape))


def build(config, seed):
    model = GPT2LMHeadModel(GPT2Config(**{**SIZES, **config}, attn_implementation="eager")).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(weights(name, parameter.shape, seed))
    return model


def padded(side):
    length = max(map(len, TEXTS))
    fill = lambda text, value: [value] * (length - len(text))
    rows = [(fill(text, PAD) + text, fill(text, 0) + [1] * len(text)) if side == "left" else (text + fill(text, PAD), [1] * len(text) + fill(text, 0)) for text in TEXTS]
    return torch.tensor([ids for ids, _ in rows]), torch.tensor([mask for _, mask in rows])


def floats(tensor):
    return [float(f"{value:.9g}") for value in tensor.detach().flatten().tolist()]


def hidden(model, side):
    ids, mask = padded(side)
    with torch.no_grad():
        return floats(model.transformer(input_ids=ids, attention_mask=mask).last_hidden_state[mask.bool()])


def of_variant(name, config, seed):
    model = build(config, seed)
    ids, mask = padded("right")
    output = model(input_ids=ids, attention_mask=mask, labels=ids.masked_fill(mask == 0, -100))
    output.loss.backward()
    block = model.transformer.h[1]
    return {
        "name": name,
        "config": config,
        "hidden": hidden(model, "right"),
        "lastLogits": floats(output.logits[0, -1]),
        "loss": output.loss.item(),
        "gradientNorms": {
            "h.0.attn.c_attn": model.transformer.h[0].attn.c_attn.weight.grad.norm().item(),
            "h.1.mlp.c_fc": block.mlp.c_fc.weight.grad.norm().item(),
        },
        "lnFGradient": floats(model.transformer.ln_f.weight.grad),
    }


def generations(seed):
    model = build({}, seed)
    ids, mask = padded("left")

    def continued(ids, mask, options):
        return model.generate(
            input_ids=ids, attention_mask=mask, max_new_tokens=12, do_sample=False, pad_token_id=PAD, **options
        )[:, ids.shape[1]:].tolist()

    greedy = continued(ids, mask, {})
    yield {"options": {}, "tokens": greedy}
    # Padding counts as repeated, so with a penalty each text goes alone.
    penalty = {"repetition_penalty": 1.3}
    alone = [torch.tensor([text]) for text in TEXTS]
    yield {"options": penalty, "tokens": [tokens for text in alone for tokens in continued(text, torch.ones_like(text), penalty)]}
    # An end that the second text comes by.
    end = {"eos_token_id": greedy[1][4]}
    yield {"options": end, "tokens": continued(ids, mask, end)}


def draws(seed):
    logits = weights("draws.logits", (24,), seed) * 6
    logits[7] = logits[3]
    for temperature, top_k, top_p in ((1.0, 0, 1.0), (0.7, 0, 1.0), (1.0, 5, 1.0), (1.0, 0, 0.6), (1.3, 12, 0.8), (1.0, 1, 1.0), (2.0, 0, 0.05)):
        warpers = LogitsProcessorList([TemperatureLogitsWarper(temperature)])
        if top_k:
            warpers.append(TopKLogitsWarper(top_k))
        warpers.append(TopPLogitsWarper(top_p))
        probabilities = warpers(None, logits[None]).softmax(-1)[0]
        yield {"temperature": temperature, "topK": top_k, "topP": top_p, "probabilities": floats(probabilities)}
    yield {"logits": floats(logits)}


def record(out, seed):
    *sampled, with_logits = draws(seed)
    golden = {
        "seed": seed,
        "texts": TEXTS,
        "leftPadded": hidden(build({}, seed), "left"),
        "variants": [of_variant(name, config, seed) for name, config in variants()],
        "generations": list(generations(seed)),
        "draws": {**with_logits, "cases": sampled},
    }
    (out / "gpt2-variants.json").write_text(json.dumps(golden))
