"""Holds @qlora-js/quant to Python's bitsandbytes, on its CPU backend.

usage: python tools/verify/python/check_quant.py [SEED]      with torch, bitsandbytes and safetensors installed

Random weights of many shapes, in float32, float16 and bfloat16, are quantised on both sides. Every stored tensor must
be equal byte by byte; what we write must load with QuantState.from_dict and stand for the values we read from it.
"""
import json, math, subprocess, sys, tempfile
from pathlib import Path

import torch
import bitsandbytes.functional as F
from bitsandbytes.backends.default.ops import _dequantize_4bit_compute
from safetensors.torch import load_file, save_file

torch._dynamo.config.disable = True
root = Path(__file__).resolve().parents[3]
torch.manual_seed(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
SHAPES = [(1, 1), (1, 65), (7, 73), (3, 5, 64), (100, 30), (768, 256), (256, 1024), (3072, 1024), (4096, 1024)]
DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


def make_cases():
    inputs, cases = {}, []
    for index, shape in enumerate(SHAPES):
        for dtype_name, dtype in DTYPES.items():
            weight = torch.randn(shape) * 10 ** float(torch.empty(1).uniform_(-4, 1))
            if math.prod(shape) > 300:
                weight.view(-1)[64:200] = 0
                weight.view(-1)[::97] *= 30
            inputs[f"{index}.{dtype_name}"] = weight.to(dtype)
            for quant_type in ("nf4", "fp4"):
                for blocksize in (32, 64, 128, 4096):
                    if math.prod(shape) > 300_000 and blocksize != 64:
                        continue
                    for double_quant in (False, True):
                        cases.append({
                            "name": f"{index}.{dtype_name}.{quant_type}.{blocksize}.{double_quant}.weight",
                            "input": f"{index}.{dtype_name}",
                            "quantType": quant_type, "blocksize": blocksize, "doubleQuant": double_quant, "dtype": dtype_name,
                        })
    return inputs, cases


def quantise_here(folder, inputs, cases):
    save_file(inputs, folder / "input.safetensors")
    script = root / "tools/verify/python/quantize-file.ts"
    tsx = root / "node_modules/.bin/tsx"
    subprocess.run([tsx, "--conditions=@qlora-js/source", script, folder / "input.safetensors", folder / "ours.safetensors",
                    json.dumps(cases)], check=True, cwd=root)
    return load_file(folder / "ours.safetensors")


def check(case, weight, ours):
    name, failures = case["name"], []
    packed, state = F.quantize_4bit(weight, blocksize=case["blocksize"], compress_statistics=case["doubleQuant"], quant_type=case["quantType"])
    theirs = {name: packed} | {f"{name}.{key}": value for key, value in state.as_dict(packed=True).items()}
    mine = {key: value for key, value in ours.items() if key.startswith(name) and not key.endswith(".dequantized")}
    if set(theirs) != set(mine):
        return [f"names {sorted(set(theirs) ^ set(mine))}"]
    for key, value in theirs.items():
        if value.dtype != mine[key].dtype or value.shape != mine[key].shape or not torch.equal(value, mine[key]):
            failures.append(f"{key} differs in {int((value.flatten() != mine[key].flatten()).sum()) if value.shape == mine[key].shape else 'shape'}")
    loaded = F.QuantState.from_dict({key[len(name) + 1:]: value for key, value in mine.items() if key != name}, device=torch.device("cpu"))
    absmax = F.dequantize_blockwise(loaded.absmax, loaded.state2) + loaded.offset if loaded.nested else loaded.absmax
    # Not dequantize_4bit: on AVX-512 it reads the wrong absmax where even rows are not whole blocks.
    values = _dequantize_4bit_compute(mine[name].flatten(), absmax, loaded.code, loaded.blocksize, loaded.shape, torch.float32)
    if not torch.equal(values, ours[f"{name}.dequantized"]):
        failures.append(f"{int((values != ours[f'{name}.dequantized']).sum())} values")
    return failures


def main():
    inputs, cases = make_cases()
    with tempfile.TemporaryDirectory() as folder:
        ours = quantise_here(Path(folder), inputs, cases)
    failed = {case["name"]: problems for case in cases if (problems := check(case, inputs[case["input"]], ours))}
    for name, problems in failed.items():
        print(name, *problems, sep="\n  ")
    print(f"{len(cases) - len(failed)} passed, {len(failed)} failed")
    sys.exit(1 if failed else 0)


main()
