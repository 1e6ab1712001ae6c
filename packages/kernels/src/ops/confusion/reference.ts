/**
 * Adds rows to a confusion matrix, one at a time: counts[label · classes + argmax], the first of equal logits as
 * torch.argmax; rows whose label is no class are counted at the end.
 *
 * @param counts [classes² + 1]
 * @returns the new counts
 */
export function confusionReference(
  counts: ArrayLike<number>,
  logits: ArrayLike<number>,
  labels: ArrayLike<number>,
): number[] {
  const next = Array.from(counts);
  const classes = Math.sqrt(next.length - 1);
  Array.from(labels).forEach((label, row) => {
    const scores = Array.from({ length: classes }, (_, i) => logits[row * classes + i]!);
    const place = label >= 0 && label < classes ? label * classes + scores.indexOf(Math.max(...scores)) : classes ** 2;
    next[place]!++;
  });
  return next;
}
