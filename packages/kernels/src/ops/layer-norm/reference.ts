/** Layer normalisation in float64 over rows of `columns`; Ba et al. 2016, section 3, with torch's biased variance. */
export function layerNormReference(
  x: ArrayLike<number>,
  gamma: ArrayLike<number>,
  beta: ArrayLike<number>,
  epsilon: number,
): Float64Array {
  const columns = gamma.length;
  const y = new Float64Array(x.length);
  for (let start = 0; start < x.length; start += columns) {
    let sum = 0;
    for (let c = 0; c < columns; c++) sum += x[start + c]!;
    const mean = sum / columns;
    let squares = 0;
    for (let c = 0; c < columns; c++) squares += (x[start + c]! - mean) ** 2;
    const reciprocalStd = 1 / Math.sqrt(squares / columns + epsilon);
    for (let c = 0; c < columns; c++) y[start + c] = (x[start + c]! - mean) * reciprocalStd * gamma[c]! + beta[c]!;
  }
  return y;
}

/** Gradients of sum(dy * layerNorm(x)) by x, gamma and beta. */
export function layerNormBackwardReference(
  dy: ArrayLike<number>,
  x: ArrayLike<number>,
  gamma: ArrayLike<number>,
  epsilon: number,
): { dx: Float64Array; dgamma: Float64Array; dbeta: Float64Array } {
  const columns = gamma.length;
  const ones = new Float64Array(columns).fill(1);
  const normalised = layerNormReference(x, ones, new Float64Array(columns), epsilon);
  const dx = new Float64Array(x.length);
  const dgamma = new Float64Array(columns);
  const dbeta = new Float64Array(columns);
  for (let start = 0; start < x.length; start += columns) {
    let sum = 0;
    let squares = 0;
    for (let c = 0; c < columns; c++) sum += x[start + c]!;
    for (let c = 0; c < columns; c++) squares += (x[start + c]! - sum / columns) ** 2;
    const reciprocalStd = 1 / Math.sqrt(squares / columns + epsilon);
    let meanScaled = 0;
    let meanProjected = 0;
    for (let c = 0; c < columns; c++) {
      const scaled = dy[start + c]! * gamma[c]!;
      meanScaled += scaled / columns;
      meanProjected += (scaled * normalised[start + c]!) / columns;
      dgamma[c]! += dy[start + c]! * normalised[start + c]!;
      dbeta[c]! += dy[start + c]!;
    }
    for (let c = 0; c < columns; c++) {
      dx[start + c] =
        (dy[start + c]! * gamma[c]! - meanScaled - normalised[start + c]! * meanProjected) * reciprocalStd;
    }
  }
  return { dx, dgamma, dbeta };
}
