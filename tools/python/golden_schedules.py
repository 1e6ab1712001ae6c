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


golden = dict(
    versions=dict(transformers=transformers.__version__, torch=torch.__version__.split("+")[0]),
    learning_rate=LEARNING_RATE,
    training_steps=STEPS,
    schedules=[dict(name=name, warmup_steps=warmup, kwargs=kwargs, rates=rates(name, warmup, kwargs)) for name, warmup, kwargs in CASES],
)  # fmt: skip
target.parent.mkdir(exist_ok=True)
target.write_text(json.dumps(golden, indent=1) + "\n")
print(f"{target}: {target.stat().st_size} bytes")
