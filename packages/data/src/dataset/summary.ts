import { type Dataset } from './dataset';
import type { Task } from '../load/labels';
import { type LabelMap } from './label-map';

export interface LengthSummary {
  mean: number;
  median: number;
  p95: number;
  p99: number;
  max: number;
  /** All tokens of the split. */
  total: number;
}

export interface SplitSummary {
  name: string;
  columns: string[];
  rows: number;
  /** Labels of the first rows, by name where they are known. */
  sampleLabels: string[];
  /** Labels that occur, and rows of the rarest and of the most frequent one; undefined without a label column, and of numbers. */
  classes?: { count: number; min: number; max: number };
  /** The smallest and the largest number, where numbers are to be predicted. */
  numbers?: { min: number; max: number };
  /** undefined without an input_ids column. */
  tokens?: LengthSummary;
}

/** How splits are looked at. */
export interface SummaryOptions {
  /** Names of the labels; default: their ids. */
  labelMap?: LabelMap;
  /** What the labels are; default one a row. */
  task?: Task;
  /** Labels to show. Default 5. */
  samples?: number;
}

/** A look at splits after preprocessing; `formatDatasetSummary` makes it text. */
export function datasetSummary(
  splits: Readonly<Record<string, Dataset<object> | undefined>>,
  options: SummaryOptions = {},
): SplitSummary[] {
  return Object.entries(splits).flatMap(([name, split]) =>
    split === undefined ? [] : [splitSummary(name, split as Dataset, options)],
  );
}

function splitSummary(name: string, split: Dataset, { labelMap, task, samples = 5 }: SummaryOptions): SplitSummary {
  const columns = split.columnNames;
  const labels = columns.includes('label') ? split.column('label') : [];
  const named = (label: unknown): string =>
    typeof label === 'number' && labelMap !== undefined ? labelMap.name(label) : String(label);
  const summary: SplitSummary = {
    name,
    columns,
    rows: split.numRows,
    sampleLabels: labels.slice(0, samples).map((label) => chosenIn(label).map(named).join(' + ') || 'none'),
  };
  if (labels.length > 0 && task === 'regression') {
    const sorted = Float64Array.from(labels as number[]).sort();
    summary.numbers = { min: sorted[0]!, max: sorted.at(-1)! };
  } else if (labels.length > 0) {
    const counts = new Map<unknown, number>();
    for (const label of labels.flatMap(chosenIn)) counts.set(label, (counts.get(label) ?? 0) + 1);
    const sizes = [...counts.values()];
    // Of tags, no row may have one.
    if (sizes.length > 0) summary.classes = { count: sizes.length, min: Math.min(...sizes), max: Math.max(...sizes) };
  }
  if (columns.includes('input_ids') && split.numRows > 0) {
    summary.tokens = lengthSummary(split.column('input_ids').map((ids) => (ids as ArrayLike<number>).length));
  }
  return summary;
}

/** The ids in a list with a 0 or 1 for each; anything else alone. */
function chosenIn(label: unknown): unknown[] {
  return Array.isArray(label) ? label.flatMap((one, id) => (one === 1 ? [id] : [])) : [label];
}

/** Percentiles are interpolated as numpy's default does. `lengths` must not be empty. */
export function lengthSummary(lengths: readonly number[]): LengthSummary {
  const sorted = Float64Array.from(lengths).sort();
  const total = sorted.reduce((sum, length) => sum + length, 0);
  return {
    mean: total / sorted.length,
    median: percentile(sorted, 50),
    p95: percentile(sorted, 95),
    p99: percentile(sorted, 99),
    max: percentile(sorted, 100),
    total,
  };
}

function percentile(sorted: Float64Array, percent: number): number {
  const place = ((sorted.length - 1) * percent) / 100;
  const below = sorted[Math.floor(place)] ?? 0;
  const above = sorted[Math.ceil(place)] ?? 0;
  return below + (above - below) * (place - Math.floor(place));
}

/** The summary as a few lines of text. */
export function formatDatasetSummary(summary: readonly SplitSummary[]): string {
  return summary.map(splitText).join('\n');
}

function splitText({ name, columns, rows, sampleLabels, classes, numbers, tokens }: SplitSummary): string {
  const lines = [`${name}: ${rows.toLocaleString('en-US')} rows, columns ${columns.join(', ')}`];
  if (classes !== undefined) {
    lines.push(
      `  ${classes.count} labels, ${classes.min} to ${classes.max} rows each; first rows: ${sampleLabels.join(', ')}`,
    );
  }
  if (numbers !== undefined)
    lines.push(`  numbers from ${numbers.min} to ${numbers.max}; first rows: ${sampleLabels.join(', ')}`);
  if (tokens !== undefined) {
    const { mean, median, p95, p99, max, total } = tokens;
    const figures = Object.entries({ median, p95, p99, max }).map(
      ([figure, value]) => `${figure} ${Number(value.toFixed(1))}`,
    );
    lines.push(
      `  tokens a text: mean ${mean.toFixed(1)}, ${figures.join(', ')}; ${total.toLocaleString('en-US')} in all`,
    );
  }
  return lines.join('\n');
}
