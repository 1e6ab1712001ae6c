/** Figures of a run, or of an earlier one; undefined where one is missing. */
export interface ComparedFigures {
  readonly accuracy: number | undefined;
  readonly f1: number | undefined;
  readonly tokensPerSec: number | undefined;
  readonly memoryGib: number | undefined;
}

const ROWS: readonly { readonly key: keyof ComparedFigures; readonly label: string; readonly digits: number }[] = [
  { key: 'accuracy', label: 'test accuracy', digits: 4 },
  { key: 'f1', label: 'test F1', digits: 4 },
  { key: 'tokensPerSec', label: 'tokens_per_sec_est', digits: 0 },
  { key: 'memoryGib', label: 'peak memory (GiB)', digits: 3 },
];

const MISSING = 'not available';

/** Earlier against current, with the change in percent of the earlier; what is missing is said to be. */
export function compareFigures(previous: ComparedFigures, current: ComparedFigures): string {
  const lines = ROWS.map(({ key, label, digits }) => {
    const before = previous[key];
    const now = current[key];
    return [label, format(before, digits), format(now, digits), change(before, now)];
  });
  const table = [['', 'previous', 'this run', 'change'], ...lines];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((row) => row[column]!.length)));
  return table
    .map((row) =>
      row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  '),
    )
    .join('\n');
}

function format(value: number | undefined, digits: number): string {
  return value === undefined || !Number.isFinite(value) ? MISSING : value.toFixed(digits);
}

/** Percentage of change, or that there is none to be had: a figure is missing or the earlier one is zero. */
function change(before: number | undefined, now: number | undefined): string {
  if (before === undefined || now === undefined || !Number.isFinite(before) || !Number.isFinite(now) || before === 0)
    return MISSING;
  const percent = (100 * (now - before)) / Math.abs(before);
  return `${percent >= 0 ? '+' : ''}${percent.toFixed(2)} %`;
}
