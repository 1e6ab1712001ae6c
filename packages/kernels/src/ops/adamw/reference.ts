/** One AdamW step's constants and values, in float64. */
export interface AdamwReferenceStep {
  readonly learningRate: number;
  readonly t: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  readonly gradientScale: number;
}

export interface AdamwReferenceResult {
  readonly parameter: Float64Array;
  readonly m: Float64Array;
  readonly v: Float64Array;
}

/** Loshchilov & Hutter 2019, algorithm 2, in float64. */
export function adamwReference(
  parameter: ArrayLike<number>,
  gradient: ArrayLike<number>,
  m: ArrayLike<number>,
  v: ArrayLike<number>,
  { learningRate, t, beta1, beta2, epsilon, weightDecay, gradientScale }: AdamwReferenceStep,
): AdamwReferenceResult {
  const result = { parameter: Float64Array.from(parameter), m: Float64Array.from(m), v: Float64Array.from(v) };
  for (let i = 0; i < parameter.length; i++) {
    const scaled = gradient[i]! * gradientScale;
    const first = beta1 * m[i]! + (1 - beta1) * scaled;
    const second = beta2 * v[i]! + (1 - beta2) * scaled * scaled;
    const corrected = first / (1 - beta1 ** t) / (Math.sqrt(second / (1 - beta2 ** t)) + epsilon);
    result.parameter[i] = parameter[i]! * (1 - learningRate * weightDecay) - learningRate * corrected;
    result.m[i] = first;
    result.v[i] = second;
  }
  return result;
}
