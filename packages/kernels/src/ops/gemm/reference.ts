/** A matrix, row-major, or the transpose of what is stored. */
export interface ReferenceMatrix {
  readonly values: ArrayLike<number>;
  /** Of the values as stored. */
  readonly rows: number;
  readonly columns: number;
  readonly transposed?: boolean;
}

function at({ values, columns, transposed = false }: ReferenceMatrix, row: number, column: number): number {
  return transposed ? values[column * columns + row]! : values[row * columns + column]!;
}

/** alpha·a·b + bias in float64, [rows of a, columns of b]. */
export function gemmReference(
  a: ReferenceMatrix,
  b: ReferenceMatrix,
  alpha = 1,
  bias?: ArrayLike<number>,
): Float64Array {
  const M = a.transposed ? a.columns : a.rows;
  const K = a.transposed ? a.rows : a.columns;
  const N = b.transposed ? b.rows : b.columns;
  const c = new Float64Array(M * N);
  for (let m = 0; m < M; m++) {
    for (let n = 0; n < N; n++) {
      let sum = 0;
      for (let k = 0; k < K; k++) sum += at(a, m, k) * at(b, k, n);
      c[m * N + n] = alpha * sum + (bias?.[n] ?? 0);
    }
  }
  return c;
}
