import { LabelMap } from '../dataset/label-map';
import { DataError, shown } from '../errors';
import { badRowHandler, type BadRows, type SkippedRow } from '../read/table';
import { placeOf, type RawRow, type RowPlace } from './rows';

/** What is learned from the labels, by the names that transformers' config has for it (`problem_type`). */
export type Task = 'single_label_classification' | 'multi_label_classification' | 'regression';

/** All of them. */
export const TASKS: readonly Task[] = ['single_label_classification', 'multi_label_classification', 'regression'];

/** A text with its label: a name, the names of several labels, or a number to be predicted. */
export type TextRow = {
  /** What the model reads. */
  text: string;
  /** The label's name under single_label_classification, names under multi_label_classification, a number under regression. */
  label: string | readonly string[] | number;
  /** Where the row came from. */
  place: RowPlace;
};

/** What is known of labels before any is looked at. */
export interface LabelOptions {
  /** Default: told by the values, see `labelScheme`. */
  readonly task?: Task;
  /** The labels' names in the order of their ids. Default: those that the set's files name, else those found, sorted. */
  readonly labelNames?: readonly string[];
  /** Splits a text with several labels in it, `a|b`; the task is then multi_label_classification. */
  readonly labelSeparator?: string;
}

/** How the labels of a data set are read. */
export interface LabelScheme {
  /** What is learned. */
  readonly task: Task;
  /** Labels and their ids; undefined under regression. */
  readonly labelMap: LabelMap | undefined;
  /** Turns a value of the label column into a label. @throws DataError for a value that is none, naming the place */
  readonly label: (value: unknown, place: string) => TextRow['label'];
}

/** Whole numbers of which there are more than these are quantities, not classes. */
const MOST_NUMBERED_CLASSES = 100;

const NUMBER = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i;

/**
 * Decides how labels are read, from the values of the training rows. Lists mean several labels; numbers with a fraction,
 * and more than 100 different whole numbers, mean regression; everything else is one label. Found labels are numbered in
 * sorted order, numbers by size, so that the same data gives the same ids.
 *
 * @throws DataError `INVALID_LABELS`: fewer than two labels, or options that contradict each other
 */
export function labelScheme(values: readonly unknown[], options: LabelOptions): LabelScheme {
  const { labelSeparator, labelNames } = options;
  if (options.task !== undefined && !TASKS.includes(options.task)) {
    throw new DataError(
      'INVALID_OPTION',
      `a task is one of ${TASKS.join(', ')}, got ${shown(options.task)}`,
      options.task,
    );
  }
  const task = options.task ?? taskOf(values, options);
  if (task === 'regression') {
    if (labelNames !== undefined)
      throw new DataError('INVALID_LABELS', 'regression predicts numbers: leave out labelNames, or name another task');
    return { task, labelMap: undefined, label: numberLabel };
  }
  const parts = (value: unknown): readonly unknown[] => severalOf(value, labelSeparator);
  const all = task === 'multi_label_classification' ? values.flatMap(parts) : values;
  const names = labelNames ?? foundNames(all);
  if (names.length < 2 && task === 'single_label_classification') {
    throw new DataError(
      'INVALID_LABELS',
      `the training rows have ${names.length === 1 ? `one label alone, ${shown(names[0])}` : 'no label'}: there is nothing to tell apart`,
      names[0],
    );
  }
  const labelMap = LabelMap.fromNames(names);
  const one = (value: unknown, place: string): string => {
    const name = nameOf(value, labelNames);
    labelMap.id(name, { source: place });
    return name;
  };
  if (task === 'single_label_classification') return { task, labelMap, label: one };
  return {
    task,
    labelMap,
    label: (value, place) => [...new Set(parts(value).map((part) => one(part, place)))],
  };
}

function taskOf(values: readonly unknown[], { labelNames, labelSeparator }: LabelOptions): Task {
  if (labelSeparator !== undefined || values.some(Array.isArray)) return 'multi_label_classification';
  if (labelNames !== undefined || !values.every(isNumber) || values.length === 0) return 'single_label_classification';
  const numbers = new Set(values.map(Number));
  const quantities = [...numbers].some((value) => !Number.isInteger(value)) || numbers.size > MOST_NUMBERED_CLASSES;
  return quantities ? 'regression' : 'single_label_classification';
}

function isNumber(value: unknown): boolean {
  return typeof value === 'number' || (typeof value === 'string' && NUMBER.test(value));
}

function numberLabel(value: unknown, place: string): number {
  const number = isNumber(value) ? Number(value) : NaN;
  if (Number.isFinite(number)) return number;
  throw new DataError(
    'INVALID_ROW',
    `${place}: a finite number is needed as the value to predict, got ${shown(value)}`,
    value,
  );
}

function severalOf(value: unknown, separator: string | undefined): readonly unknown[] {
  if (Array.isArray(value)) return value as unknown[];
  if (separator === undefined || typeof value !== 'string') return [value];
  return value
    .split(separator)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** A label's name: a text is one, a number stands for one of the names or for itself. */
function nameOf(value: unknown, names: readonly string[] | undefined): string {
  if (typeof value === 'string' && (names === undefined || names.includes(value) || !NUMBER.test(value))) return value;
  if (typeof value === 'boolean') return String(value);
  if (isNumber(value)) return names?.[Number(value)] ?? String(value);
  return shown(value);
}

function foundNames(values: readonly unknown[]): string[] {
  const names = [...new Set(values.map((value) => nameOf(value, undefined)))];
  return names.every((name) => NUMBER.test(name))
    ? names.sort((one, other) => Number(one) - Number(other))
    : names.sort();
}

/** Reads the labels of rows; one whose label is none is refused or left out. */
export function labelledRows(
  rows: readonly RawRow[],
  scheme: LabelScheme,
  onBadRow: BadRows,
): { readonly rows: TextRow[]; readonly skipped: readonly SkippedRow[] } {
  const { refuse, skipped } = badRowHandler(onBadRow);
  const labelled: TextRow[] = [];
  for (const { text, value, place } of rows) {
    try {
      labelled.push({ text, label: scheme.label(value, placeOf(place)), place });
    } catch (error) {
      if (!DataError.isInstance(error)) throw error;
      refuse(placeOf(place), error);
    }
  }
  return { rows: labelled, skipped };
}
