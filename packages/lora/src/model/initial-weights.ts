import { tensor2d, zeros, type Tensor2D } from '@tensorflow/tfjs-core';
import { normalValues, uniformValues } from '@qlora-js/kernels';
import type { InitLoraWeights } from '../config/lora-config';

export interface LoraShape {
  readonly r: number;
  readonly inFeatures: number;
  readonly outFeatures: number;
}

/**
 * Starting values of A [r, in] and B [out, r]: A uniform in ±1/sqrt(in), which is kaiming_uniform with a = sqrt(5),
 * and B zero, so that training starts from the base (peft/tuners/lora/layer.py, reset_lora_parameters).
 */
export function initialWeights(
  { r, inFeatures, outFeatures }: LoraShape,
  init: InitLoraWeights,
  seed: number,
  stream: number,
): { a: Tensor2D; b: Tensor2D } {
  const uniform = (rows: number, columns: number, offset: number): Tensor2D => {
    const bound = 1 / Math.sqrt(columns);
    const values = uniformValues(rows * columns, { seed, stream: 2 * stream + offset }).map((u) => (2 * u - 1) * bound);
    return tensor2d(values, [rows, columns]);
  };
  if (init === 'gaussian') {
    const values = normalValues(r * inFeatures, { seed, stream: 2 * stream }).map((value) => value / r);
    return { a: tensor2d(values, [r, inFeatures]), b: zeros([outFeatures, r]) };
  }
  return { a: uniform(r, inFeatures, 0), b: init ? zeros([outFeatures, r]) : uniform(outFeatures, r, 1) };
}
