"""Records 50 steps of bitsandbytes' 8-bit AdamW on CUDA, with its state before and after each.

usage: python tools/python/golden_adamw8bit_cuda.py OUT [--device cuda]      with torch and bitsandbytes alone

OUT is packages/optim/test/golden/adamw8bit-cuda.safetensors. The seed, the versions and the GPU stand in the file's
metadata; nothing else is random. The file holds, for each parameter NAME of PARAMETERS:

  levels                   float32 [256]             what a code of a gradient stands for
  NAME.gradient            uint8 [STEPS, size]       code of each element's gradient
  NAME.parameter           float32 [STEPS + 1, size] before the first step, then after each
  NAME.state1, .state2     uint8 [STEPS, size]       codes of both moments after each step; all 0 before the first
  NAME.absmax1, .absmax2   float32 [STEPS, blocks]   likewise
  NAME.cpu.parameter, .cpu.state1, ...               the same after the steps of CPU_STEPS (counted from 0), as
                                                     bitsandbytes' CPU path takes them from CUDA's state before

A step's gradients have scales from 0.5 down to 5e-10 within one block. Blocks without any gradient, sparse ones, squares
below float32's normal range, NaN and infinities are among them.
"""
import argparse, json, platform, struct, sys

import numpy as np
import torch
import bitsandbytes as bnb

SEED = 12
STEPS = 50
BLOCK = 256
CPU_STEPS = (1, 9, 24, 49)
# Sizes end in a block that is not whole. One set of hyper-parameters is the optimiser's default.
PARAMETERS = {
    "default": dict(size=2604, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2),
    "decayed": dict(size=812, lr=3e-3, betas=(0.9, 0.95), eps=1e-6, weight_decay=0.2),
    "undecayed": dict(size=300, lr=2e-4, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0),
}
SCALES = 120  # powers of 2 ** -0.25 from 0.5 on
NEGATIVE = 1 + SCALES
SPECIAL = {"nan": 250, "inf": 251, "-inf": 252, "largest": 247, "middle": 248, "least": 249, "squared_denormal": 246}


def gradient_levels():
    levels = np.zeros(256, np.float32)
    scales = (0.5 * 2.0 ** (-0.25 * np.arange(SCALES))).astype(np.float32)
    levels[1:NEGATIVE] = scales
    levels[NEGATIVE:NEGATIVE + SCALES] = -scales
    levels[SPECIAL["nan"]], levels[SPECIAL["inf"]], levels[SPECIAL["-inf"]] = np.nan, np.inf, -np.inf
    levels[SPECIAL["largest"]], levels[SPECIAL["middle"]], levels[SPECIAL["least"]] = 0.0333, 1.33e-5, 5.7e-10
    levels[SPECIAL["squared_denormal"]] = 1e-20
    return levels


def gradient_codes(random, size):
    """[STEPS, size]: each block has scales of its own kind, each element its own, each step a new draw."""
    spread = np.empty(size)
    kept = np.ones(size)
    for block in range(0, size, BLOCK):
        inside = slice(block, min(block + BLOCK, size))
        count = inside.stop - inside.start
        kind = (block // BLOCK) % 5
        # Octaves below the largest: all alike, mixed over four, over thirty, two groups far apart, sparse.
        spread[inside] = [
            np.full(count, 4.0), random.uniform(2, 6, count), random.uniform(0, 29, count),
            random.choice([3.0, 24.0], count), np.full(count, 6.0)][kind]
        kept[inside] = 0.2 if kind == 4 else 1.0
    octaves = spread + np.abs(random.normal(0, 1.0, (STEPS, size)))
    codes = 1 + np.clip(np.rint(4 * octaves), 0, SCALES - 1).astype(np.int64)
    codes[random.random((STEPS, size)) < 0.5] += SCALES
    # Signs that stay let a first moment grow.
    steady = random.random(size) < 0.3
    codes[:, steady] = 1 + (codes[:, steady] - 1) % SCALES
    codes[random.random((STEPS, size)) >= kept] = 0
    return codes.astype(np.uint8)


def add_special_cases(codes):
    """In the first parameter: a moment that outlives its square, blocks of nothing, and what is not finite."""
    codes[:, 3] = SPECIAL["least"]
    codes[0, 3] = SPECIAL["middle"]
    codes[:, 5] = SPECIAL["squared_denormal"]
    codes[:, 0] = SPECIAL["largest"]
    codes[:7, 2 * BLOCK:3 * BLOCK] = 0
    codes[20:30, 4 * BLOCK:5 * BLOCK] = 0
    codes[32, 7:10] = [SPECIAL["nan"], SPECIAL["inf"], SPECIAL["-inf"]]
    codes[33, BLOCK:2 * BLOCK] = SPECIAL["nan"]


def optimizer_of(parameter, options):
    settings = {key: value for key, value in options.items() if key != "size"}
    return bnb.optim.AdamW8bit([parameter], min_8bit_size=1, **settings)


STATE = ("state1", "state2", "absmax1", "absmax2")


def run(name, start, gradients, device):
    """Parameters [STEPS + 1, size] and the state after each step."""
    parameter = torch.nn.Parameter(torch.from_numpy(start).to(device))
    optimizer = optimizer_of(parameter, PARAMETERS[name])
    parameters, states = [start], {key: [] for key in STATE}
    for step in range(STEPS):
        parameter.grad = torch.from_numpy(gradients[step].copy()).to(device)
        optimizer.step()
        parameters.append(parameter.detach().cpu().numpy().copy())
        for key in STATE:
            states[key].append(optimizer.state[parameter][key].cpu().numpy().copy())
    return np.stack(parameters), {key: np.stack(values) for key, values in states.items()}


def cpu_steps(name, parameters, states, gradients):
    """What the CPU path makes of the recorded state before each of CPU_STEPS."""
    found = {key: [] for key in ("parameter", *STATE)}
    for step in CPU_STEPS:
        parameter = torch.nn.Parameter(torch.from_numpy(parameters[step].copy()))
        optimizer = optimizer_of(parameter, PARAMETERS[name])
        parameter.grad = torch.from_numpy(gradients[step].copy())
        optimizer.init_state(optimizer.param_groups[0], parameter, 0, 0)
        state = optimizer.state[parameter]
        state["step"] = step
        for key in STATE:
            state[key].copy_(torch.from_numpy(states[key][step - 1].copy()))
        optimizer.step()
        found["parameter"].append(parameter.detach().numpy().copy())
        for key in STATE:
            found[key].append(state[key].numpy().copy())
    return {key: np.stack(values) for key, values in found.items()}


DTYPES = {"float32": "F32", "uint8": "U8"}


def save(path, tensors, metadata):
    """A safetensors file: length of the header, header, bytes. The library itself is not needed for that."""
    header, offset = {"__metadata__": metadata}, 0
    for name, values in tensors.items():
        header[name] = {"dtype": DTYPES[str(values.dtype)], "shape": list(values.shape), "data_offsets": [offset, offset + values.nbytes]}
        offset += values.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for values in tensors.values():
            file.write(np.ascontiguousarray(values).tobytes())
    return 8 + len(text) + offset


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out")
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"], help="cpu: to try the script without a GPU")
    arguments = parser.parse_args()
    device = arguments.device
    if device == "cuda" and not torch.cuda.is_available():
        sys.exit("torch finds no CUDA device: run this on a machine with an NVIDIA GPU")
    metadata = {
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
        "capability": ".".join(map(str, torch.cuda.get_device_capability())) if device == "cuda" else "",
        "torch": torch.__version__, "cuda": str(torch.version.cuda), "bitsandbytes": bnb.__version__,
        "numpy": np.__version__, "python": platform.python_version(), "seed": str(SEED), "steps": str(STEPS),
        "cpu_steps": json.dumps(CPU_STEPS), "parameters": json.dumps(PARAMETERS),
        "command": "python tools/python/golden_adamw8bit_cuda.py",
    }
    random = np.random.default_rng(SEED)
    levels = gradient_levels()
    tensors = {"levels": levels}
    for name, options in PARAMETERS.items():
        start = random.normal(0, 0.05, options["size"]).astype(np.float32)
        codes = gradient_codes(random, options["size"])
        if name == "default":
            start[3] = -0.06317
            add_special_cases(codes)
        gradients = levels[codes]
        parameters, states = run(name, start, gradients, device)
        tensors |= {f"{name}.gradient": codes, f"{name}.parameter": parameters}
        tensors |= {f"{name}.{key}": values for key, values in states.items()}
        tensors |= {f"{name}.cpu.{key}": values for key, values in cpu_steps(name, parameters, states, gradients).items()}
        print(f"{name}: {options['size']} elements, largest |parameter| {np.abs(parameters).max():.4g}, "
              f"{int((~np.isfinite(parameters)).sum())} values not finite")
    size = save(arguments.out, tensors, metadata)
    print(json.dumps(metadata, indent=2))
    print(f"{size} bytes in {arguments.out}")


if __name__ == "__main__":
    main()
