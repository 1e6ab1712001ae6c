import type { FrozenTrial } from '@qlora-js/hpo';

/** Size of a plot in characters, without its axes. */
export interface PlotSize {
  /** Columns. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
}

/** A plot of values by trial number: `o` a completed trial, `-` the best so far; the lowest value at the bottom. */
export function plotTrials(
  trials: readonly Pick<FrozenTrial, 'number' | 'state' | 'value'>[],
  { direction, size }: { readonly direction: 'minimize' | 'maximize'; readonly size: PlotSize },
): string[] {
  const points = trials.flatMap(({ number, state, value }) =>
    state === 'COMPLETE' && value !== undefined && Number.isFinite(value) ? [{ number, value }] : [],
  );
  if (points.length === 0) return [];
  const values = points.map(({ value }) => value);
  const [low, high] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
  const last = points.at(-1)!.number;
  const { height } = size;
  const width = Math.max(1, Math.min(size.width, last + 1));
  const column = (number: number): number => (last === 0 ? 0 : Math.round((number / last) * (width - 1)));
  const row = (value: number): number =>
    high === low ? height - 1 : Math.round(((high - value) / (high - low)) * (height - 1));
  const cells = Array.from({ length: height }, () => new Array<string>(width).fill(' '));
  let best = points[0]!.value;
  let next = 0;
  for (let at = column(points[0]!.number); at < width; at++) {
    for (; next < points.length && column(points[next]!.number) <= at; next++) {
      const { value } = points[next]!;
      best = direction === 'maximize' ? Math.max(best, value) : Math.min(best, value);
    }
    cells[row(best)]![at] = '-';
  }
  for (const { number, value } of points) cells[row(value)]![column(number)] = 'o';
  const labels = cells.map((_, index) =>
    index === 0 ? shortNumber(high) : index === height - 1 ? shortNumber(low) : '',
  );
  const margin = Math.max(...labels.map((label) => label.length));
  return [
    ...cells.map((line, index) => `${labels[index]!.padStart(margin)} | ${line.join('')}`.trimEnd()),
    `${' '.repeat(margin)} +-${'-'.repeat(width)}`,
    `${' '.repeat(margin)}   0${String(last).padStart(width - 1)}`,
  ];
}

/** A number as tables show it: four digits behind the point, or an exponent where it is small or large. */
export function shortNumber(value: number): string {
  if (Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e6) ? value.toExponential(2) : value.toFixed(4);
}
