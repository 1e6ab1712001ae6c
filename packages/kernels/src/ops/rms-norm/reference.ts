/** Root mean square normalisation in float64 (Zhang and Sennrich 2019, equation 4): y = x / sqrt(mean(x²) + epsilon) * weight. */
export function rmsNormReference(x: ArrayLike<number>, weight: ArrayLike<number>, epsilon: number): Float64Array {
  const columns = weight.length;
  const y = new Float64Array(x.length);
  for (let start = 0; start < x.length; start += columns) {
    const scale = reciprocalRms(x, start, columns, epsilon);
    for (let c = 0; c < columns; c++) y[start + c] = x[start + c]! * scale * weight[c]!;
  }
  return y;
}

/** Gradients of sum(dy * rmsNorm(x, weight)). */
export function rmsNormBackwardReference(
  dy: ArrayLike<number>,
  x: ArrayLike<number>,
  weight: ArrayLike<number>,
  epsilon: number,
): { dx: Float64Array; dweight: Float64Array } {
  const columns = weight.length;
  const dx = new Float64Array(x.length);
  const dweight = new Float64Array(columns);
  for (let start = 0; start < x.length; start += columns) {
    const scale = reciprocalRms(x, start, columns, epsilon);
    let projected = 0;
    for (let c = 0; c < columns; c++) projected += dy[start + c]! * weight[c]! * x[start + c]! * scale;
    for (let c = 0; c < columns; c++) {
      const normalised = x[start + c]! * scale;
      dx[start + c] = (dy[start + c]! * weight[c]! - (normalised * projected) / columns) * scale;
      dweight[c]! += dy[start + c]! * normalised;
    }
  }
  return { dx, dweight };
}

function reciprocalRms(x: ArrayLike<number>, start: number, columns: number, epsilon: number): number {
  let squares = 0;
  for (let c = 0; c < columns; c++) squares += x[start + c]! ** 2;
  return 1 / Math.sqrt(squares / columns + epsilon);
}
