/** Sum of the squares of every element of every tensor, in float64. */
export function sumOfSquaresReference(tensors: readonly ArrayLike<number>[]): number {
  return tensors.flatMap((values) => Array.from(values)).reduce((sum, value) => sum + value * value, 0);
}

/** The norm, what gradients are multiplied by and whether the step happens: torch.nn.utils.clip_grad_norm_ after unscaling. */
export function clipControlReference(
  sumSquares: number,
  { maxNorm, lossScale = 1 }: { readonly maxNorm: number; readonly lossScale?: number },
): { norm: number; control: [gradientScale: number, apply: number] } {
  const norm = Math.sqrt(sumSquares) / lossScale;
  if (!Number.isFinite(norm)) return { norm, control: [0, 0] };
  const coefficient = maxNorm / (norm + 1e-6);
  return { norm, control: [(coefficient < 1 ? coefficient : 1) / lossScale, 1] };
}
