const TILE = 32;

/**
 * [rows, columns] -> [columns, rows], in tiles that stay in the cache.
 *
 * @param result where the values go, as many as there are: other memory than theirs
 */
export function transposed<Values extends Float32Array | Uint16Array>(
  values: Values,
  rows: number,
  columns: number,
  result: Values = new (values.constructor as new (length: number) => Values)(values.length),
): Values {
  for (let r0 = 0; r0 < rows; r0 += TILE) {
    for (let c0 = 0; c0 < columns; c0 += TILE) {
      const rEnd = Math.min(r0 + TILE, rows);
      const cEnd = Math.min(c0 + TILE, columns);
      for (let c = c0; c < cEnd; c++) for (let r = r0; r < rEnd; r++) result[c * rows + r] = values[r * columns + c]!;
    }
  }
  return result;
}
