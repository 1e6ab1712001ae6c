/** Compressed sparse rows: row i holds columns[start[i] .. start[i + 1]] with the values beside them. */
export interface SparseRows {
  rows: number;
  columns: number;
  start: Int32Array;
  column: Int32Array;
  value: Float64Array;
}

/** Builds rows out of maps from column to value. */
export function sparseRows(entries: readonly ReadonlyMap<number, number>[], columns: number): SparseRows {
  const start = new Int32Array(entries.length + 1);
  entries.forEach((row, i) => (start[i + 1] = start[i]! + row.size));
  const column = new Int32Array(start[entries.length]!);
  const value = new Float64Array(column.length);
  let at = 0;
  for (const row of entries) {
    for (const [key, count] of row) {
      column[at] = key;
      value[at++] = count;
    }
  }
  return { rows: entries.length, columns, start, column, value };
}

/** The rows at these positions, in this order. */
export function takeRows(matrix: SparseRows, positions: readonly number[]): SparseRows {
  const entries = positions.map((row) => {
    const entry = new Map<number, number>();
    for (let at = matrix.start[row]!; at < matrix.start[row + 1]!; at++)
      entry.set(matrix.column[at]!, matrix.value[at]!);
    return entry;
  });
  return sparseRows(entries, matrix.columns);
}
