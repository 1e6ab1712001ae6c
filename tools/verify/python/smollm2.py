"""What transformers and PEFT compute with SmolLM2-135M-Instruct out of a GGUF file, for tools/verify/names/smollm2.ts.

usage: smollm2.py GGUF OUT SEED TEXTS
"""
import json
import os
import sys

import numpy as np
import torch
from peft import LoraConfig, TaskType, get_peft_model
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForSequenceClassification

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "python", "golden"))
from texts import random_text

SENTENCES = ["The capital of France is", "I lost my card yesterday, what should I do now?", "In 2024, 1,234 people", "def add(a, b):"]
PROMPT = "<|im_start|>user\nName three colours.<|im_end|>\n<|im_start|>assistant\n"
LABELS, STEPS, BATCH, RATE = 77, 24, 4, 5e-4
GRADIENTS = [f"model.layers.{layer}.{name}" for layer in (0, 15, 29) for name in ("self_attn.q_proj", "self_attn.k_proj", "mlp.down_proj")]


def classifier(model, pad):
    drop = ("quantization_config", "architectures", "dtype", "_name_or_path", "name_or_path")
    config = LlamaConfig(**{key: value for key, value in model.config.to_dict().items() if key not in drop})
    config.num_labels, config.pad_token_id = LABELS, pad
    made = LlamaForSequenceClassification(config)
    made.load_state_dict(model.state_dict(), strict=False)
    adapted = get_peft_model(made, LoraConfig(r=8, lora_alpha=16, lora_dropout=0.0, target_modules="all-linear", task_type=TaskType.SEQ_CLS))
    with torch.no_grad():
        for name, parameter in adapted.named_parameters():
            if "lora_B" in name:
                parameter.normal_(0, 0.01)
    return adapted.train()


def main():
    path, out, seed, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    folder, name = os.path.split(os.path.abspath(path))
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    os.makedirs(out, exist_ok=True)
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=name)
    texts = [random_text(rng) for _ in range(count)] + SENTENCES + [PROMPT]
    ids = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
    model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=torch.float32).eval()
    logits = []
    with torch.no_grad():
        for text in SENTENCES:
            logits.append(model(torch.tensor([tokenizer(text, add_special_tokens=False)["input_ids"]])).logits[0, -1])
        prompt = torch.tensor([ids[-1]])
        generated = model.generate(prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=50, do_sample=False)[0, prompt.shape[1]:]
    tensors = {"logits": torch.stack(logits)}
    pad = model.config.pad_token_id or model.config.eos_token_id
    adapted = classifier(model, pad)
    adapted.save_pretrained(os.path.join(out, "adapter-start"))
    trained = [parameter for parameter in adapted.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=RATE, weight_decay=0.0)
    batches, losses = [], []
    for step in range(STEPS):
        rows = [ids[int(i)][:24] or [1] for i in rng.integers(0, count, BATCH)]
        labels = [int(i) for i in rng.integers(0, LABELS, BATCH)]
        batches.append({"rows": rows, "labels": labels})
        length = max(map(len, rows))
        inputs = torch.tensor([row + [pad] * (length - len(row)) for row in rows])
        mask = torch.tensor([[1] * len(row) + [0] * (length - len(row)) for row in rows])
        loss = adapted(input_ids=inputs, attention_mask=mask, labels=torch.tensor(labels)).loss
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            for path in GRADIENTS:
                layer = adapted.base_model.model.get_submodule(path)
                for side in "AB":
                    tensors[f"{path}.lora_{side}"] = getattr(layer, f"lora_{side}")["default"].weight.grad.clone()
        optimizer.step()
        optimizer.zero_grad()
    save_file(tensors, os.path.join(out, "tensors.safetensors"))
    answers = {
        "texts": texts, "ids": ids, "sentences": SENTENCES, "prompt": ids[-1], "generated": generated.tolist(),
        "padTokenId": pad, "labels": LABELS, "learningRate": RATE, "gradients": GRADIENTS, "batches": batches, "losses": losses,
    }
    with open(os.path.join(out, "answers.json"), "w", encoding="utf8") as file:
        json.dump(answers, file)


main()
