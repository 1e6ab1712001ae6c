"""Records transformers' learning-rate schedules into packages/optim/test/golden-schedules.json.

usage: python tools/python/golden_schedules.py
       with torch and transformers installed (transformers 5.23.0, torch 2.15.0 when it was recorded)
"""
import json
from pathlib import Path

import torch, transformers
from transformers import get_scheduler

target = Path(__file__).resolve().parents[2] / "packages/optim/test/golden-schedules.json"
LEARNING_RATE, STEPS = 3e-3, 24
CASES = [
    ("linear", 5, {}),
    ("cosine", 5, {}),
    ("cosine", 0, {"num_cycles": 1.25}),
    ("cosine_with_restarts", 4, {"num_cycles": 3}),
    ("polynomial", 3, {"power": 2.0, "lr_end": 1e-4}),
    ("constant", 0, {}),
    ("constant_with_warmup", 6, {}),
    ("inverse_sqrt", 5, {}),
    ("inverse_sqrt", 0, {"timescale": 7}),
    ("cosine_with_min_lr", 5, {"min_lr": 5e-4}),
    ("cosine_with_min_lr", 0, {"min_lr_rate": 0.2, "num_cycles": 1.5}),
    ("cosine_warmup_with_min_lr", 5, {"min_lr_rate": 0.1}),
    ("cosine_warmup_with_min_lr", 4, {"min_lr": 3e-4, "warmup_lr_rate": 0.3}),
    ("warmup_stable_decay", 4, {"num_decay_steps": 8}),
    ("warmup_stable_decay", 4, {"num_decay_steps": 6, "num_stable_steps": 3, "min_lr_ratio": 0.1, "decay_type": "linear",
                                "warmup_type": "cosine"}),
    ("warmup_stable_decay", 5, {"num_decay_steps": 9, "decay_type": "1-sqrt", "warmup_type": "1-sqrt"}),
    ("warmup_stable_decay", 2, {"num_decay_steps": 12, "num_cycles": 0.75}),
]  # fmt: skip


def rates(name, warmup, kwargs):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=LEARNING_RATE)
    scheduler = get_scheduler(name, optimizer, warmup, STEPS, scheduler_specific_kwargs=kwargs)
    values = []
    for _ in range(STEPS + 2):
        values.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return values


# Metrics of an evaluation each, and what the schedules that go by them take.
METRICS = [0.9, 0.8, 0.8, 0.81, 0.79999, 0.7, 0.71, 0.72, 0.73, 0.6, 0.5, 0.4, 0.3, 0.2, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.1, 0.9, 0.9, 0.9, 0.9]
BY_METRIC = [
    ("reduce_lr_on_plateau", {"patience": 1}),
    ("reduce_lr_on_plateau", {"patience": 2, "factor": 0.5, "cooldown": 2, "min_lr": 1e-3, "threshold": 0.05, "threshold_mode": "abs"}),
    ("reduce_lr_on_plateau", {"mode": "max", "patience": 1, "factor": 0.3}),
    ("greedy", {"patience": 1, "factor": 0.5}),
    ("greedy", {"patience": 0, "factor": 0.7, "cooldown": 1, "warmup": 2, "min_lr": 1e-4, "max_lr": 4e-3}),
    ("greedy", {"patience": 0, "factor": 0.3, "min_lr": 2e-3, "reset_start": 2, "smooth": True, "window_size": 3, "cooldown": 1}),
    ("greedy", {"mode": "max", "patience": 1, "threshold": 0.1, "threshold_mode": "rel"}),
]  # fmt: skip


def rates_by_metric(name, kwargs):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=LEARNING_RATE)
    scheduler = get_scheduler(name, optimizer, scheduler_specific_kwargs=kwargs)
    values = []
    for metric in METRICS:
        scheduler.step(metric)
        values.append(optimizer.param_groups[0]["lr"])
    return values


golden = dict(
    versions=dict(transformers=transformers.__version__, torch=torch.__version__.split("+")[0]),
    learning_rate=LEARNING_RATE,
    training_steps=STEPS,
    schedules=[dict(name=name, warmup_steps=warmup, kwargs=kwargs, rates=rates(name, warmup, kwargs)) for name, warmup, kwargs in CASES],
    metrics=METRICS,
    by_metric=[dict(name=name, kwargs=kwargs, rates=rates_by_metric(name, kwargs)) for name, kwargs in BY_METRIC],
)  # fmt: skip
target.parent.mkdir(exist_ok=True)
target.write_text(json.dumps(golden, indent=1) + "\n")
print(f"{target}: {target.stat().st_size} bytes")
