/** Rows that are turned together: 32 float32 of a column are two lines of a cache. */
export const STRIPE = 32;

/** [rows, columns] -> [columns, rows]. */
export function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row += STRIPE) {
    const stripe = values.subarray(row * columns, Math.min(row + STRIPE, rows) * columns);
    transposeStripe(stripe, columns, { result, rows, row });
  }
  return result;
}

/** Puts some rows of a [rows, columns], from `row` on, where they are in [columns, rows]; in tiles that stay in the cache. */
export function transposeStripe(
  stripe: Float32Array,
  columns: number,
  { result, rows, row }: { readonly result: Float32Array; readonly rows: number; readonly row: number },
): void {
  const count = stripe.length / columns;
  for (let c0 = 0; c0 < columns; c0 += STRIPE) {
    const cEnd = Math.min(c0 + STRIPE, columns);
    for (let c = c0; c < cEnd; c++) {
      for (let r = 0; r < count; r++) result[c * rows + row + r] = stripe[r * columns + c]!;
    }
  }
}
