"""bitsandbytes as golden values need it: float32, the arithmetic that its `default` and CUDA kernels share.

Two kernels of its CPU library (0.50.2) are kept out, before it registers them:
- dequantize_4bit starts its blocks anew at each row of even length where there is AVX-512, so it reads another block's
  absmax where rows are not whole blocks;
- gemv_4bit runs layers after model.eval() on bfloat16 copies of the 4-bit weights where there is AVX512-BF16, and lets
  no gradient through.
Its block-wise 8-bit kernels stay: their grid is what @qlora-js/optim's `nearest: 'grid'` stands for.
"""
import torch

torch._dynamo.config.disable = True
KEPT_OUT = ("bitsandbytes::dequantize_4bit", "bitsandbytes::gemv_4bit")
register_kernel = torch.library.register_kernel


def register_all_but_those(op, device_types, *args, **options):
    if device_types == "cpu" and op in KEPT_OUT:
        return lambda function: function
    return register_kernel(op, device_types, *args, **options)


torch.library.register_kernel = register_all_but_those
import bitsandbytes
import bitsandbytes.nn.modules

torch.library.register_kernel = register_kernel
bitsandbytes.nn.modules.has_avx512bf16 = lambda: False
matmul_4bit = bitsandbytes.matmul_4bit


def matmul_4bit_bias_apart(A, B, quant_state, out=None, bias=None):
    """Adds the bias out of place: bitsandbytes may add it into a leaf's view, which autograd refuses."""
    y = matmul_4bit(A, B, quant_state=quant_state)
    return y if bias is None else y + bias


bitsandbytes.matmul_4bit = matmul_4bit_bias_apart
