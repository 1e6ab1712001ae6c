import { dropoutRun } from './philox';

/**
 * y[rows,columns] = dropout(x): element i of a row is kept, times `scale`, iff its 16 random bits are at least `threshold`, and 0
 * otherwise. The bits come from Philox4x32-7 with counter (i >> 3, counter1, counter2, the row's of the int32 rowNumbers[rows]) and
 * key (key0, key1), so the backward pass is dropout of dy with the same numbers. y may be x.
 */
export function dropout(
  x: usize, rows: i32, columns: i32, threshold: u32, scale: f32,
  key0: i32, key1: i32, counter1: i32, counter2: i32, rowNumbers: usize, y: usize,
): void {
  dropoutAdd(x, 0, rows, columns, threshold, scale, key0, key1, counter1, counter2, rowNumbers, y);
}

/** y[rows,columns] = residual + dropout(x), drawn as `dropout` draws; residual 0 stands for none. y may be x or residual. */
export function dropoutAdd(
  x: usize, residual: usize, rows: i32, columns: i32, threshold: u32, scale: f32,
  key0: i32, key1: i32, counter1: i32, counter2: i32, rowNumbers: usize, y: usize,
): void {
  const rowBytes = <usize>columns << 2, residualBytes: usize = residual ? rowBytes : 0;
  for (let row = 0; row < rows; row++) {
    const number = load<i32>(rowNumbers + (<usize>row << 2));
    dropoutRun(x, residual, 0, columns, threshold, scale, key0, key1, counter1, counter2, number, y);
    x += rowBytes;
    residual += residualBytes;
    y += rowBytes;
  }
}
