"""LoRA training steps of transformers and PEFT in float32 for the tasks beside one label a text: tasks/.

batches.safetensors        token ids and masks, and the labels of each task, taken in turn by the steps
NAME/                      the LoRA adapter that a task starts from
runs.json                  loss and gradient norm of each step, and the first batch's logits and loss after the last
losses.safetensors         losses of a few logits with weights, and their gradients

The base is that of training/, not quantised, in train mode, without dropout. A causal language model is scored on the
tokens after a prompt; in `causal_lm windows` a step is two batches, whose loss is the mean over the tokens of both, as
transformers' Trainer has it by num_items_in_batch.
"""
import json
import shutil

import numpy as np
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import save_file
from transformers import GPT2ForSequenceClassification, GPT2LMHeadModel, get_linear_schedule_with_warmup

import training

STEPS, BATCHES, WARMUP, ROWS = 20, 5, 4, 6
LEARNING_RATE, WEIGHT_DECAY, MAX_NORM = 3e-3, 0.01, 1.0
# Labels of each task, and how many batches are one step.
TASKS = {
    "single_label_classification": (4, 1),
    "multi_label_classification": (5, 1),
    "regression": (1, 1),
    "causal_lm": (None, 1),
    "causal_lm windows": (None, 2),
}


def task_of(name):
    return name.split()[0]


def load(folder, name, seed):
    torch.manual_seed(seed + 1)
    labels, _ = TASKS[name]
    if labels is None:
        model = GPT2LMHeadModel.from_pretrained(folder, dtype=torch.float32)
    else:
        model = GPT2ForSequenceClassification.from_pretrained(folder, num_labels=labels, problem_type=task_of(name), dtype=torch.float32)
        model.config.pad_token_id = model.config.eos_token_id
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    model.name_or_path = model.config._name_or_path = "gpt2"
    return model


def make_batches(config, seed):
    rng = np.random.default_rng(seed + 3)
    for _ in range(BATCHES):
        lengths = rng.integers(2, 21, ROWS)
        prompts = np.array([rng.integers(0, length) for length in lengths])
        shape = (ROWS, int(lengths.max()))
        column = np.arange(shape[1])
        mask = column < lengths[:, None]
        ids = np.where(mask, rng.integers(0, config.eos_token_id, shape), config.eos_token_id)
        # At least one token is left to be predicted, and the first one never is.
        counted = mask & (column >= np.maximum(prompts, 1)[:, None])
        batch = {
            "input_ids": ids,
            "attention_mask": mask,
            "single_label_classification": rng.integers(0, 4, ROWS),
            "multi_label_classification": (rng.random((ROWS, 5)) < 0.4).astype(np.float32),
            "regression": rng.normal(2, 1.5, ROWS).astype(np.float32),
            "causal_lm": np.where(counted, ids, -100),
        }
        yield {key: torch.from_numpy(value if value.dtype == np.float32 else value.astype(np.int64)) for key, value in batch.items()}


def inputs(batch, name):
    return {"input_ids": batch["input_ids"], "attention_mask": batch["attention_mask"], "labels": batch[task_of(name)]}


def write_start_adapter(folder, base, name, seed):
    lora = dict(r=4, lora_alpha=8, target_modules=["c_attn", "c_proj"], lora_dropout=0.0, bias="none")
    task_type = "CAUSAL_LM" if task_of(name) == "causal_lm" else "SEQ_CLS"
    peft = get_peft_model(load(base, name, seed), LoraConfig(**lora, task_type=task_type))
    for key, parameter in peft.named_parameters():
        # A B of zeros would leave A without a gradient.
        if "lora_B" in key:
            parameter.data = torch.randn_like(parameter) * 0.02
    training.save_adapter(peft, folder)


def run(folder, base, name, batches, seed):
    model = PeftModel.from_pretrained(load(base, name, seed), folder / task_of(name), is_trainable=True).train()
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = get_linear_schedule_with_warmup(optimizer, WARMUP, STEPS)
    _, accumulated = TASKS[name]
    steps = []
    for step in range(STEPS):
        window = [inputs(batches[(step * accumulated + micro) % BATCHES], name) for micro in range(accumulated)]
        counts = [(given["labels"] != -100).sum().item() if task_of(name) == "causal_lm" else ROWS for given in window]
        total = 0.0
        for given, count in zip(window, counts):
            loss = model(**given).loss * (count / sum(counts))
            loss.backward()
            total += loss.item()
        norm = torch.nn.utils.clip_grad_norm_(parameters, MAX_NORM)
        steps.append({"loss": total, "gradNorm": norm.item()})
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    with torch.no_grad():
        output = model(**inputs(batches[0], name))
    logits = [] if task_of(name) == "causal_lm" else output.logits.flatten().tolist()
    return {"accumulationSteps": accumulated, "steps": steps, "evalLoss": output.loss.item(), "logits": logits}


def weighted_losses(seed):
    """torch's losses with weights on a few logits, and their gradients."""
    rng = np.random.default_rng(seed + 4)
    logits = torch.from_numpy(rng.normal(0, 4, (5, 3)).astype(np.float32))
    # Far from 0 on both sides, where a naive formula overflows.
    logits[0] = torch.tensor([90.0, -90.0, 0.0])
    several = torch.from_numpy((rng.random((5, 3)) < 0.5).astype(np.float32))
    weights = torch.tensor([0.5, 3.0, 1.25])
    losses = {
        "bce": torch.nn.BCEWithLogitsLoss(),
        "bce weighted": torch.nn.BCEWithLogitsLoss(pos_weight=weights),
        "mse": torch.nn.MSELoss(),
    }
    recorded = {"logits": logits, "labels": several, "weights": weights}
    for name, loss in losses.items():
        given = logits.clone().requires_grad_()
        value = loss(given, several)
        value.backward()
        recorded |= {f"{name}.loss": value.detach().reshape(1), f"{name}.gradient": given.grad}
    return recorded


def record(out, seed):
    base, folder = out / "training/base", out / "tasks"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    batches = list(make_batches(load(base, "regression", seed).config, seed))
    stored = {
        f"{index}.{key}": (tensor if tensor.is_floating_point() else tensor.to(torch.int32)).contiguous()
        for index, batch in enumerate(batches)
        for key, tensor in batch.items()
    }
    save_file(stored, folder / "batches.safetensors")
    for name in {task_of(name): None for name in TASKS}:
        write_start_adapter(folder / name, base, name, seed)
    runs = {name: run(folder, base, name, batches, seed) for name in TASKS}
    facts = {"learningRate": LEARNING_RATE, "weightDecay": WEIGHT_DECAY, "warmupSteps": WARMUP, "maxGradNorm": MAX_NORM}
    (folder / "runs.json").write_text(json.dumps({**facts, "runs": runs}, indent=1) + "\n")
    save_file({name: tensor.contiguous() for name, tensor in weighted_losses(seed).items()}, folder / "losses.safetensors")
