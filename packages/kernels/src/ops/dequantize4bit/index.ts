import type { Tensor } from '@tensorflow/tfjs-core';
import { defineOp } from '../../engine/op';
import { takeApart } from '../../four-bit/take-apart';
import { composeDequantize4bit } from '../../four-bit/compose';
import type { Packed4bitAttributes, Packed4bitInputs, QuantizedTensor } from '../../four-bit/types';
import { wasmDequantize4bit } from './wasm';
import { webgpuDequantize4bit } from './webgpu';

export type { NestedQuantState, QuantizedTensor, QuantState } from '../../four-bit/types';

const run = defineOp<Packed4bitInputs, Packed4bitAttributes>({
  name: 'QDequantize4bit',
  compose: composeDequantize4bit,
  wasm: wasmDequantize4bit,
  webgpu: webgpuDequantize4bit,
});

/**
 * The values a 4-bit tensor stands for, code·absmax, float32 in its shape (QLoRA, equation 6; bitsandbytes
 * functional.py dequantize_4bit). No gradient flows to what is quantised.
 */
export function dequantize4bit(quantized: QuantizedTensor): Tensor {
  const { inputs, attributes } = takeApart('dequantize4bit', quantized);
  return run(inputs, attributes);
}
