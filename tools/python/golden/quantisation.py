"""What bitsandbytes makes of the same floats in 4 bits, and in the optimiser's block-wise 8 bits: quant.safetensors."""
import bitsandbytes.functional as F
import numpy as np
import torch
from safetensors.torch import save_file

# `tail` and `odd` end within a block, and `wide` has rows that are not whole blocks.
CASES = {
    "normal": (16, 256),
    "wide": (16, 192),
    "tail": (7, 73),
    "odd": (1, 65),
    "zeros": (4, 64),
    "outlier": (16, 128),
    "tiny": (8, 64),
}


def values(name, shape, rng):
    x = rng.standard_normal(shape).astype(np.float32) * (3 if name == "wide" else 0.02)
    if name == "zeros":
        x[1:3] = 0
    if name == "outlier":
        x.flat[::97] *= 50
    if name == "tiny":
        x *= 1e-6
    return torch.from_numpy(x)


def record(out, seed):
    rng = np.random.default_rng(seed)
    tensors = {}
    for name, shape in CASES.items():
        x = values(name, shape, rng)
        tensors[f"{name}.input"] = x
        for quant_type in ("nf4", "fp4"):
            for blocksize in (64, 128):
                for double_quant in (False, True):
                    packed, state = F.quantize_4bit(x, blocksize=blocksize, compress_statistics=double_quant, quant_type=quant_type)
                    key = f"{name}.{quant_type}.{blocksize}.{'dq' if double_quant else 'sq'}"
                    tensors[f"{key}.packed"] = packed.flatten()
                    tensors[f"{key}.absmax"] = state.absmax
                    tensors[f"{key}.code"] = state.code
                    tensors[f"{key}.dequant"] = F.dequantize_4bit(packed, state)
                    if double_quant:
                        tensors[f"{key}.nested_absmax"] = state.state2.absmax
                        tensors[f"{key}.nested_code"] = state.state2.code
                        tensors[f"{key}.offset"] = state.offset.reshape(1)
    for signed in (True, False):
        x = torch.from_numpy(rng.standard_normal(3000).astype(np.float32) * 1e-3)
        x = x if signed else x.abs()
        code = F.create_dynamic_map(signed=signed)
        quantized, state = F.quantize_blockwise(x, code=code, blocksize=256)
        key = f"block8.{'signed' if signed else 'unsigned'}"
        tensors |= {f"{key}.input": x, f"{key}.q": quantized, f"{key}.absmax": state.absmax, f"{key}.code": code}
        tensors[f"{key}.dequant"] = F.dequantize_blockwise(quantized, state)
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, out / "quant.safetensors")
