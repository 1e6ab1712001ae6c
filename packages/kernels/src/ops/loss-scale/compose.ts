import { tensor1d, type Tensor } from '@tensorflow/tfjs-core';
import { hostValues } from '../../tfjs/host-values';
import { LARGEST_FLOAT32, type LossScaleAttributes, type LossScaleInputs } from './types';

/** Returns the new scale and counts. */
export function composeLossScale(
  { scale, counts, control }: LossScaleInputs,
  { growthFactor, backoffFactor, growthInterval }: LossScaleAttributes,
): Tensor[] {
  const before = hostValues(scale)[0]!;
  const [tracker, skipped] = hostValues(counts) as unknown as [number, number];
  if (hostValues(control)[1] === 0) {
    return [tensor1d([Math.fround(before * Math.fround(backoffFactor))]), tensor1d([0, skipped + 1])];
  }
  const run = tracker + 1;
  if (run < growthInterval) return [tensor1d([before]), tensor1d([run, skipped])];
  const grown = before * Math.fround(growthFactor);
  // A scale beyond float32 stays as it was (torch's _amp_update_scale_).
  return [tensor1d([grown <= LARGEST_FLOAT32 ? Math.fround(grown) : before]), tensor1d([0, skipped])];
}
