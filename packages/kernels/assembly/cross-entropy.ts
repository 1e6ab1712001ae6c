import { largestLane, loadLanes, storeLanes, sumOfLanes } from './lanes';
import { exp4, logOf } from './math';

// @ts-ignore: decorator
@inline
function largestOf(x: usize, n: i32): f32 {
  let largest = f32x4.splat(-Infinity);
  let i = 0;
  for (; i + 4 <= n; i += 4) largest = f32x4.pmax(largest, v128.load(x + (<usize>i << 2)));
  let value = largestLane(largest);
  for (; i < n; i++) value = max(value, load<f32>(x + (<usize>i << 2)));
  return value;
}

/**
 * probs[rows,classes] = softmax of the rows of logits, and lossRows[rows] = log Σ exp(logits) - logits[label], 0 where
 * the label lies outside 0..classes-1 (torch's ignore_index). labels are int32. probs may be logits.
 */
export function softmaxCrossEntropy(logits: usize, labels: usize, rows: i32, classes: i32, lossRows: usize, probs: usize): void {
  for (let row = 0; row < rows; row++) {
    const label = load<i32>(labels + (<usize>row << 2));
    const counted = <u32>label < <u32>classes;
    const logit: f32 = counted ? load<f32>(logits + (<usize>label << 2)) : 0;
    const largest = largestOf(logits, classes), shift = f32x4.splat(largest);
    let sums = f32x4.splat(0);
    for (let i = 0; i < classes; i += 4) {
      const at = <usize>i << 2, left = classes - i;
      let e = exp4(f32x4.sub(loadLanes(logits + at, left), shift));
      storeLanes(probs + at, e, left);
      if (left < 4) e = loadLanes(probs + at, left);
      sums = f32x4.add(sums, e);
    }
    const sum = sumOfLanes(sums), reciprocal = f32x4.splat(1 / sum);
    for (let i = 0; i < classes; i += 4) {
      const at = <usize>i << 2, left = classes - i;
      storeLanes(probs + at, f32x4.mul(loadLanes(probs + at, left), reciprocal), left);
    }
    const loss: f64 = <f64>largest + logOf(<f64>sum) - <f64>logit;
    store<f32>(lossRows + (<usize>row << 2), counted ? <f32>loss : 0);
    logits += <usize>classes << 2;
    probs += <usize>classes << 2;
  }
}

/**
 * dlogits[rows,classes] = (probs - onehot(label))·dlossRows[row]; rows whose label is outside the classes get zeros.
 * dlogits may be probs.
 */
export function softmaxCrossEntropyBackward(
  probs: usize, labels: usize, dlossRows: usize, rows: i32, classes: i32, dlogits: usize,
): void {
  for (let row = 0; row < rows; row++) {
    const label = load<i32>(labels + (<usize>row << 2));
    const scale = load<f32>(dlossRows + (<usize>row << 2));
    if (<u32>label >= <u32>classes) {
      memory.fill(dlogits, 0, <usize>classes << 2);
    } else {
      const correct = (load<f32>(probs + (<usize>label << 2)) - 1) * scale;
      const factor = f32x4.splat(scale);
      for (let i = 0; i < classes; i += 4) {
        const at = <usize>i << 2, left = classes - i;
        storeLanes(dlogits + at, f32x4.mul(loadLanes(probs + at, left), factor), left);
      }
      store<f32>(dlogits + (<usize>label << 2), correct);
    }
    probs += <usize>classes << 2;
    dlogits += <usize>classes << 2;
  }
}
