import type { Task } from '@qlora-js/data';

/** Label probability above which a text has one of several labels; a logit of 0. */
export const DEFAULT_THRESHOLD = 0.5;

/**
 * What a head's logits say: probabilities of one label a text that add up to 1, of several each by itself, numbers as they are.
 *
 * @param logits [rows * width], which may be changed in place
 */
export function outputsOf(task: Task, logits: Float32Array, width: number): Float32Array {
  if (task === 'multi_label_classification') return logits.map((logit) => 1 / (1 + Math.exp(-logit)));
  if (task === 'regression') return logits;
  for (let start = 0; start < logits.length; start += width) {
    const row = logits.subarray(start, start + width);
    const largest = row.reduce((most, logit) => Math.max(most, logit), -Infinity);
    let sum = 0;
    for (let place = 0; place < width; place++) sum += row[place] = Math.exp(row[place]! - largest);
    for (let place = 0; place < width; place++) row[place] = row[place]! / sum;
  }
  return logits;
}
