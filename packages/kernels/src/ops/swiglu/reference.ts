const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** silu(gate) * up in float64 (Shazeer 2020, equation 5, without the matrices). */
export function swigluReference(gate: ArrayLike<number>, up: ArrayLike<number>): Float64Array {
  return Float64Array.from(gate, (value, i) => value * sigmoid(value) * up[i]!);
}

/** Gradients of sum(dy * swiglu(gate, up)). */
export function swigluBackwardReference(
  dy: ArrayLike<number>,
  gate: ArrayLike<number>,
  up: ArrayLike<number>,
): { dgate: Float64Array; dup: Float64Array } {
  return {
    dgate: Float64Array.from(gate, (value, i) => {
      const share = sigmoid(value);
      return dy[i]! * up[i]! * share * (1 + value * (1 - share));
    }),
    dup: Float64Array.from(gate, (value, i) => dy[i]! * value * sigmoid(value)),
  };
}
