import { tensor1d } from '@tensorflow/tfjs-core';
import { hostValues } from '../../tfjs/host-values';
import type { ConfusionInputs, ConfusionOutputs } from './types';

/** On the host: tfjs has no scatter with a sum that all its backends share. */
export function composeConfusion({ counts, logits, labels }: ConfusionInputs): ConfusionOutputs {
  const next = hostValues(counts).slice() as Int32Array;
  const values = hostValues(logits);
  const [rows = 0, classes = 0] = logits.shape;
  const labelValues = hostValues(labels);
  for (let row = 0; row < rows; row++) {
    let best = 0;
    for (let i = 1; i < classes; i++) if (values[row * classes + i]! > values[row * classes + best]!) best = i;
    const label = labelValues[row]!;
    next[label >= 0 && label < classes ? label * classes + best : classes ** 2]!++;
  }
  return { counts: tensor1d(next, 'int32') };
}
