/**
 * Softmax cross-entropy in float64, as torch.nn.functional.cross_entropy with class indices: the loss, the
 * probabilities, and the gradient of the loss by the logits. `mean` over no counted row is NaN, torch's answer too.
 */
export function crossEntropyReference(
  logits: ArrayLike<number>,
  labels: ArrayLike<number>,
  { reduction = 'mean', ignoreIndex = -100 }: { reduction?: 'mean' | 'sum'; ignoreIndex?: number } = {},
): { loss: number; probabilities: Float64Array; dlogits: Float64Array } {
  const classes = logits.length / labels.length;
  const probabilities = new Float64Array(logits.length);
  const dlogits = new Float64Array(logits.length);
  const counted = Array.from(labels).filter((label) => label !== ignoreIndex).length;
  const divisor = reduction === 'mean' ? counted : 1;
  let total = 0;
  for (let row = 0; row < labels.length; row++) {
    const values = Array.from({ length: classes }, (_, k) => logits[row * classes + k]!);
    const largest = Math.max(...values);
    const denominator = values.reduce((sum, value) => sum + Math.exp(value - largest), 0);
    const label = labels[row]!;
    for (let k = 0; k < classes; k++) {
      const probability = Math.exp(values[k]! - largest) / denominator;
      probabilities[row * classes + k] = probability;
      if (label !== ignoreIndex) dlogits[row * classes + k] = (probability - (k === label ? 1 : 0)) / divisor;
    }
    if (label !== ignoreIndex) total += Math.log(denominator) + largest - values[label]!;
  }
  return { loss: total / divisor, probabilities, dlogits };
}
