import { tensor1d } from '@tensorflow/tfjs-core';
import { hostValues } from '../../tfjs/host-values';
import { LARGEST_FLOAT32, type LossScaleAttributes, type LossScaleInputs, type LossScaleOutputs } from './types';

export function composeLossScale(
  { scale, counts, control }: LossScaleInputs,
  { growthFactor, backoffFactor, growthInterval }: LossScaleAttributes,
): LossScaleOutputs {
  const updated = (to: number, counted: readonly [number, number]): LossScaleOutputs => ({
    scale: tensor1d([to]),
    counts: tensor1d([...counted]),
  });
  const before = hostValues(scale)[0]!;
  const [tracker, skipped] = hostValues(counts) as unknown as [number, number];
  if (hostValues(control)[1] === 0) {
    return updated(Math.fround(before * Math.fround(backoffFactor)), [0, skipped + 1]);
  }
  const run = tracker + 1;
  if (run < growthInterval) return updated(before, [run, skipped]);
  const grown = before * Math.fround(growthFactor);
  // A scale beyond float32 stays as it was (torch's _amp_update_scale_).
  return updated(grown <= LARGEST_FLOAT32 ? Math.fround(grown) : before, [0, skipped]);
}
