import { largestLane, loadPart, storePart, sumOfLanes } from './lanes';
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
    const whole = <usize>(classes & ~3) << 2, part = classes & 3;
    let sums = f32x4.splat(0);
    for (let at: usize = 0; at < whole; at += 16) {
      const e = exp4(f32x4.sub(v128.load(logits + at), shift));
      v128.store(probs + at, e);
      sums = f32x4.add(sums, e);
    }
    if (part) {
      storePart(probs + whole, exp4(f32x4.sub(loadPart(logits + whole, part), shift)), part);
      sums = f32x4.add(sums, loadPart(probs + whole, part));
    }
    const sum = sumOfLanes(sums);
    scaled(probs, classes, 1 / sum, probs);
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
      scaled(probs, classes, scale, dlogits);
      store<f32>(dlogits + (<usize>label << 2), correct);
    }
    probs += <usize>classes << 2;
    dlogits += <usize>classes << 2;
  }
}

function scaled(x: usize, n: i32, factor: f32, y: usize): void {
  const factors = f32x4.splat(factor), whole = <usize>(n & ~3) << 2;
  for (let at: usize = 0; at < whole; at += 16) v128.store(y + at, f32x4.mul(v128.load(x + at), factors));
  if (n & 3) storePart(y + whole, f32x4.mul(loadPart(x + whole, n & 3), factors), n & 3);
}
