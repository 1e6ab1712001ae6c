import type { Dataset } from '../dataset/dataset';
import { placeOf, type RowPlace } from './rows';
import type { SplitName } from './splits';
import type { TextDataset } from './load-text-dataset';
import type { TextRow } from './labels';

/** Rows of each label in one split. */
export interface ClassBalance {
  /** The split. */
  readonly split: SplitName;
  /** Rows by label, in the order of ids. */
  readonly counts: Readonly<Record<string, number>>;
}

/** Two rows with the same text, letter case and spaces aside. */
export interface DuplicateRows {
  /** The row that came first. */
  readonly first: RowPlace;
  /** Its split. */
  readonly firstSplit: SplitName;
  /** The row that repeats it. */
  readonly second: RowPlace;
  /** Its split. */
  readonly secondSplit: SplitName;
  /** Whether both carry the same label. */
  readonly sameLabel: boolean;
}

/** What one should know of a data set before training on it. */
export interface DataReport {
  /** Rows of each label; empty under regression. */
  readonly balance: readonly ClassBalance[];
  /** Labels without a training row. */
  readonly untrained: readonly string[];
  /** Texts of one split that another holds too: what is measured there is memory. */
  readonly acrossSplits: readonly DuplicateRows[];
  /** Texts that one split holds twice under different labels. */
  readonly contradictions: readonly DuplicateRows[];
  /** Rows that were left out while reading. */
  readonly skipped: TextDataset['skipped'];
}

const SPLITS = ['train', 'validation', 'test'] as const;

/** Looks for what spoils a training: rare labels, texts in two splits, the same text under two labels. */
export function inspectTextDataset(dataset: TextDataset): DataReport {
  const balance = dataset.labelMap === undefined ? [] : SPLITS.map((split) => balanceOf(dataset, split));
  const untrained = Object.entries(balance[0]?.counts ?? {}).flatMap(([label, rows]) => (rows === 0 ? [label] : []));
  const duplicates = duplicateRows(dataset);
  return {
    balance,
    untrained,
    acrossSplits: duplicates.filter(({ firstSplit, secondSplit }) => firstSplit !== secondSplit),
    contradictions: duplicates.filter(
      ({ firstSplit, secondSplit, sameLabel }) => firstSplit === secondSplit && !sameLabel,
    ),
    skipped: dataset.skipped,
  };
}

function balanceOf(dataset: TextDataset, split: SplitName): ClassBalance {
  const counts = new Map((dataset.labelMap?.names ?? []).map((name) => [name, 0]));
  const rows: Dataset<TextRow> = dataset[split];
  for (const label of rows.column('label')) {
    for (const name of Array.isArray(label) ? (label as string[]) : [String(label)])
      counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return { split, counts: Object.fromEntries(counts) };
}

function duplicateRows(dataset: TextDataset): DuplicateRows[] {
  const seen = new Map<string, { readonly split: SplitName; readonly row: TextRow }>();
  const found: DuplicateRows[] = [];
  for (const split of SPLITS) {
    for (const row of dataset[split]) {
      const key = row.text.toLowerCase().replace(/\s+/g, ' ').trim();
      const earlier = seen.get(key);
      if (earlier === undefined) {
        seen.set(key, { split, row });
        continue;
      }
      found.push({
        first: earlier.row.place,
        firstSplit: earlier.split,
        second: row.place,
        secondSplit: split,
        sameLabel: String(earlier.row.label) === String(row.label),
      });
    }
  }
  return found;
}

/** Places that a line of the report names; the rest is counted. */
const SHOWN = 5;

/** Rows of the most frequent label to those of the rarest from which on the imbalance is worth a warning. */
const UNEVEN = 10;

/** The report as lines of text: what is as it should be in one, what is not with the places of the rows. */
export function formatDataReport(report: DataReport): string[] {
  const lines: string[] = [];
  for (const { split, counts } of report.balance) {
    const sizes = Object.values(counts);
    if (sizes.every((size) => size === 0)) continue;
    const [rarest, commonest] = [Math.min(...sizes), Math.max(...sizes)];
    const name = Object.keys(counts).find((label) => counts[label] === rarest);
    const uneven =
      split === 'train' && commonest > UNEVEN * rarest
        ? `; ${name ?? ''} is rare, accuracy alone will not show how it fares`
        : '';
    lines.push(`${split}: ${rarest} to ${commonest} rows a label${uneven}`);
  }
  if (report.untrained.length > 0) lines.push(`labels without a training row: ${some(report.untrained)}`);
  const pair = ({ first, second }: DuplicateRows): string => `${placeOf(second)} repeats ${placeOf(first)}`;
  if (report.acrossSplits.length > 0)
    lines.push(`${counted(report.acrossSplits.length, 'text')} in two splits: ${some(report.acrossSplits.map(pair))}`);
  if (report.contradictions.length > 0)
    lines.push(
      `${counted(report.contradictions.length, 'text')} under two labels: ${some(report.contradictions.map(pair))}`,
    );
  if (report.skipped.length > 0)
    lines.push(`${counted(report.skipped.length, 'row')} left out: ${some(report.skipped.map(({ cause }) => cause))}`);
  return lines;
}

function some(entries: readonly string[]): string {
  const more = entries.length > SHOWN ? `; and ${entries.length - SHOWN} more` : '';
  return entries.slice(0, SHOWN).join('; ') + more;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
