import { dropoutRun } from './philox';

/**
 * y[n] = dropout(x[n]): element i is kept, times `scale`, iff its 16 random bits are at least `threshold`, and 0
 * otherwise. The bits come from Philox4x32-7 with counter (i >> 3, counter1, counter2, counter3) and key (key0, key1), so the backward pass is dropout of dy with the same numbers. y may be x.
 */
export function dropout(
  x: usize, n: i32, threshold: u32, scale: f32, key0: i32, key1: i32, counter1: i32, counter2: i32, counter3: i32, y: usize,
): void {
  dropoutRun(x, 0, 0, n, threshold, scale, key0, key1, counter1, counter2, counter3, y);
}

/** y[n] = residual[n] + dropout(x[n]), drawn as `dropout` draws. y may be x or residual. */
export function dropoutAdd(
  x: usize, residual: usize, n: i32, threshold: u32, scale: f32,
  key0: i32, key1: i32, counter1: i32, counter2: i32, counter3: i32, y: usize,
): void {
  dropoutRun(x, residual, 0, n, threshold, scale, key0, key1, counter1, counter2, counter3, y);
}
