/** A mean and the interval that holds it in 95 of 100 repetitions, if values are normal. */
export interface MeanInterval {
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
}

/** Student's t, two-sided 95 %, by degrees of freedom from 1 on; beyond the list the normal one. */
const T = [
  ...[12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228],
  ...[2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11, 2.101, 2.093, 2.086],
];

/** Mean of a few values with its 95 % interval by Student's t. One value has no interval: it is as wide as can be. */
export function meanInterval(values: readonly number[]): MeanInterval {
  const { length } = values;
  const estimate = values.reduce((sum, value) => sum + value, 0) / length;
  if (length < 2) return { estimate, low: -Infinity, high: Infinity };
  const variance = values.reduce((sum, value) => sum + (value - estimate) ** 2, 0) / (length - 1);
  const half = (T[length - 2] ?? 1.96) * Math.sqrt(variance / length);
  return { estimate, low: estimate - half, high: estimate + half };
}

/** Mean difference of two lists whose values belong together, as those of one seed do. */
export function pairedDifference(values: readonly number[], others: readonly number[]): MeanInterval {
  return meanInterval(values.map((value, index) => value - others[index]!));
}

/** Whether an interval leaves 0 out. */
export function isSignificant({ low, high }: MeanInterval): boolean {
  return low > 0 || high < 0;
}

/** `0.8641 (0.8603 to 0.8679)`. */
export function shownInterval({ estimate, low, high }: MeanInterval, digits = 4): string {
  if (!Number.isFinite(low)) return `${estimate.toFixed(digits)} (one value)`;
  return `${estimate.toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`;
}

/** A table of Markdown. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
