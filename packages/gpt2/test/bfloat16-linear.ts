import { add, tensor2d, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs-core';
import { gemm, LinearLayer, type ForwardContext } from '@qlora-js/kernels';
import { toHost, type Linear4bit } from '@qlora-js/quant';

/** The nearest bfloat16, ties to even, as a float32. */
export function roundToBfloat16(values: Float32Array): Float32Array {
  const words = new Uint32Array(values.slice().buffer);
  for (let i = 0; i < words.length; i++)
    words[i] = ((words[i]! + 0x7fff + ((words[i]! >>> 16) & 1)) & 0xffff0000) >>> 0;
  return new Float32Array(words.buffer);
}

/**
 * A 4-bit layer as bitsandbytes 0.50.2 runs it for inference on CPUs with AVX512-BF16 (functional.py
 * _convert_weight_packed_for_cpu, backends/cpu/ops.py gemv_4bit): input, code table and absmax rounded to bfloat16,
 * products of those summed in float32, the sum rounded to bfloat16, the bias added in float32, and no gradient
 * through it. Seen from outside: one product of the real kernel and of this agree in all but 2 of 10,000 elements,
 * which lie on the border of two bfloat16 values.
 */
class Bfloat16Linear extends LinearLayer {
  constructor(
    private readonly base: Linear4bit,
    private readonly weight: Tensor2D,
    readonly outFeatures: number,
    readonly inFeatures: number,
  ) {
    super();
    this.setChild('base', base);
  }

  /** Through the host, which also cuts the gradient. */
  forward(x: Tensor2D, _context: ForwardContext): Tensor2D {
    const input = tensor2d(roundToBfloat16(x.dataSync<'float32'>()), x.shape);
    const product = gemm(input, this.weight, { transposeB: true });
    const y = tensor2d(roundToBfloat16(product.dataSync<'float32'>()), product.shape);
    const { bias } = this.base;
    return bias === undefined ? y : add(y, bias.value as Tensor1D);
  }

  denseWeight(): Tensor2D {
    return this.weight.clone();
  }

  withWeight(weight: Tensor2D): LinearLayer {
    return this.base.withWeight(weight);
  }
}

/** The double of a 4-bit layer. */
export async function inBfloat16(base: Linear4bit): Promise<LinearLayer> {
  const { packed, code, absmax, nested, blocksize } = await toHost(base.weight.quantized);
  const scales = Float32Array.from(absmax, (value, block) =>
    nested === undefined
      ? value
      : Math.fround(nested.code[value]! * nested.absmax[Math.floor(block / nested.blocksize)]!) + nested.offset,
  );
  const roundedScales = roundToBfloat16(scales);
  const roundedCode = roundToBfloat16(code);
  const { outFeatures, inFeatures } = base;
  const values = new Float32Array(outFeatures * inFeatures);
  for (let i = 0; i < values.length; i++) {
    const byte = packed[i >> 1]!;
    values[i] = roundedCode[i % 2 === 0 ? byte >> 4 : byte & 15]! * roundedScales[Math.floor(i / blocksize)]!;
  }
  const weight = tensor2d(values, [outFeatures, inFeatures]);
  return new Bfloat16Linear(base, weight, outFeatures, inFeatures);
}
