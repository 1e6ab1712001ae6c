/** x·Wᵀ + bias in float64, or x·W with `transposed`; W is dense [N, K]. */
export function matmul4bitReference(
  x: ArrayLike<number>,
  weight: ArrayLike<number>,
  [N, K]: readonly [number, number],
  { bias, transposed = false }: { bias?: ArrayLike<number>; transposed?: boolean } = {},
): Float64Array {
  const columns = transposed ? K : N;
  const depth = transposed ? N : K;
  const rows = x.length / depth;
  const y = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      let sum = bias?.[column] ?? 0;
      for (let i = 0; i < depth; i++)
        sum += x[row * depth + i]! * weight[transposed ? i * K + column : column * K + i]!;
      y[row * columns + column] = sum;
    }
  }
  return y;
}
