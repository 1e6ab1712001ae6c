"""Parameters after each of 8 steps of AdamW on recorded gradients: optim.safetensors."""
import bitsandbytes as bnb
import numpy as np
import torch
from safetensors.torch import save_file

# Two tensors that bitsandbytes keeps in 8 bits (4,096 elements or more), one of them with a tail block, and one it doesn't.
SHAPES = ((4, 1024), (4200,), (77, 13))
STEPS = 8
OPTIONS = {"lr": 3e-3, "weight_decay": 0.05}
OPTIMIZERS = {"adamw32": torch.optim.AdamW, "adamw8bit": bnb.optim.AdamW8bit, "paged_adamw8bit": bnb.optim.PagedAdamW8bit}


def record(out, seed):
    tensors = {}
    for name, make in OPTIMIZERS.items():
        rng = np.random.default_rng(seed + 5)
        draw = lambda shape, scale: torch.from_numpy(rng.standard_normal(shape).astype(np.float32) * np.float32(scale))
        parameters = [torch.nn.Parameter(draw(shape, 0.1)) for shape in SHAPES]
        optimizer = make(parameters, **OPTIONS)
        for i, parameter in enumerate(parameters):
            tensors[f"init.p{i}"] = parameter.detach().clone()
        for step in range(STEPS):
            for i, parameter in enumerate(parameters):
                parameter.grad = draw(parameter.shape, 1e-3 if step % 3 else 1e-2)
                tensors[f"grad.p{i}.s{step}"] = parameter.grad.clone()
            optimizer.step()
            # Paged states are the same states elsewhere: where they end says as much.
            if name != "paged_adamw8bit" or step == STEPS - 1:
                for i, parameter in enumerate(parameters):
                    tensors[f"{name}.p{i}.s{step}"] = parameter.detach().clone()
    save_file(tensors, out / "optim.safetensors")
