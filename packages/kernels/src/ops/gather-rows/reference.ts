/** y[b] = x[rows[b]] for rows of `columns` elements. */
export function gatherRowsReference(x: ArrayLike<number>, columns: number, rows: ArrayLike<number>): Float64Array {
  const y = new Float64Array(rows.length * columns);
  for (let b = 0; b < rows.length; b++) {
    for (let c = 0; c < columns; c++) y[b * columns + c] = x[rows[b]! * columns + c]!;
  }
  return y;
}

/** The gradient of sum(dy * gatherRows(x)) by x [rowCount, columns]: a row gathered twice gets both gradients. */
export function scatterRowsReference(
  dy: ArrayLike<number>,
  columns: number,
  rows: ArrayLike<number>,
  rowCount: number,
): Float64Array {
  const dx = new Float64Array(rowCount * columns);
  for (let b = 0; b < rows.length; b++) {
    for (let c = 0; c < columns; c++) dx[rows[b]! * columns + c]! += dy[b * columns + c]!;
  }
  return dx;
}
