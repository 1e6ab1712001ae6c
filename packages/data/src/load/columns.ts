import type { Dataset } from '../dataset/dataset';
import { DataError, shown } from '../errors';

/** The columns that a training takes its texts and labels from. */
export interface ChosenColumns {
  /** Column of the texts. */
  readonly text: string;
  /** Column of the second texts, where rows are pairs. */
  readonly textPair?: string;
  /** Column of the labels. */
  readonly label: string;
  /** How they were found, for a person to check; empty where the caller named them. */
  readonly reasons: readonly string[];
}

/** Columns that the caller names. */
export interface ColumnOptions {
  /** Column of the texts; default: found by its name, else the one with the longest texts. */
  textColumn?: string;
  /** Column of second texts; default: found where both columns carry the names of a pair, such as premise and hypothesis. */
  textPairColumn?: string;
  /** Column of the labels; default: found by its name, else the only column that is left. */
  labelColumn?: string;
}

const TEXT_NAMES = [
  'text', 'sentence', 'content', 'review', 'comment', 'query', 'question', 'utterance', 'message', 'tweet', 'document',
  'body', 'input', 'prompt', 'description', 'title',
]; // prettier-ignore
const PAIR_NAMES: readonly (readonly [string, string])[] = [
  ['sentence1', 'sentence2'],
  ['sentence_1', 'sentence_2'],
  ['text1', 'text2'],
  ['text_1', 'text_2'],
  ['question1', 'question2'],
  ['premise', 'hypothesis'],
];
const LABEL_NAMES = [
  'label', 'labels', 'category', 'categories', 'class', 'intent', 'target', 'sentiment', 'topic', 'tags', 'tag',
  'rating', 'stars', 'score', 'output', 'y',
]; // prettier-ignore

/** Rows that are looked at to tell texts from other values. */
const LOOKED_AT = 1000;

/**
 * Finds the columns of texts and labels; what the caller names is taken as it is.
 * @throws DataError `UNKNOWN_COLUMN` for a named column that is not there, `AMBIGUOUS_COLUMNS` where none stands out
 */
export function findColumns(dataset: Dataset, options: ColumnOptions, source: string): ChosenColumns {
  const names = dataset.columnNames;
  const reasons: string[] = [];
  for (const [option, name] of Object.entries(options) as [string, string | undefined][]) {
    if (name === undefined || names.includes(name)) continue;
    throw new DataError(
      'UNKNOWN_COLUMN',
      `${source}: ${option} is ${shown(name)}, but the columns are ${names.map((own) => shown(own)).join(', ')}`,
      name,
    );
  }
  const pair = pairColumns(names, options);
  const taken = (name: string): boolean => name === options.labelColumn || name === options.textPairColumn;
  const text =
    options.textColumn ??
    pair?.[0] ??
    textColumn(
      dataset,
      names.filter((name) => !taken(name)),
      source,
    );
  if (options.textColumn === undefined) reasons.push(`texts from column ${shown(text)}`);
  const textPair = options.textPairColumn ?? pair?.[1];
  if (textPair !== undefined && options.textPairColumn === undefined)
    reasons.push(`second texts from column ${shown(textPair)}`);
  const left = names.filter((name) => name !== text && name !== textPair);
  const label = options.labelColumn ?? labelColumn(left, source);
  if (options.labelColumn === undefined) reasons.push(`labels from column ${shown(label)}`);
  if (new Set([text, textPair, label].filter((name) => name !== undefined)).size < (textPair === undefined ? 2 : 3)) {
    throw new DataError(
      'AMBIGUOUS_COLUMNS',
      `${source}: texts and labels need columns of their own, got ${shown(text)} twice`,
    );
  }
  return { text, ...(textPair === undefined ? {} : { textPair }), label, reasons };
}

function pairColumns(
  names: readonly string[],
  { textColumn, textPairColumn }: ColumnOptions,
): readonly [string, string] | undefined {
  if (textColumn !== undefined || textPairColumn !== undefined) return undefined;
  return PAIR_NAMES.find((pair) => pair.every((name) => names.includes(name)));
}

export function textColumn(dataset: Dataset, names: readonly string[], source: string): string {
  const known = byName(names, TEXT_NAMES);
  if (known !== undefined) return known;
  const lengths = names
    .map((name) => ({ name, mean: meanLength(dataset.column(name)) }))
    .filter(({ mean }) => mean > 0)
    .sort((one, other) => other.mean - one.mean);
  const [longest, next] = lengths;
  // A label that is nearly as long as a text would be taken for one.
  if (longest !== undefined && (next === undefined || longest.mean >= 2 * next.mean)) return longest.name;
  throw unclear('texts', 'textColumn', names, source);
}

function meanLength(values: readonly unknown[]): number {
  const some = values.slice(0, LOOKED_AT).filter((value) => value !== null && value !== '');
  if (some.length === 0 || !some.every((value) => typeof value === 'string')) return 0;
  return some.reduce((sum, value) => sum + value.length, 0) / some.length;
}

function labelColumn(names: readonly string[], source: string): string {
  const known = byName(names, LABEL_NAMES);
  if (known !== undefined) return known;
  if (names.length === 1) return names[0]!;
  throw unclear('labels', 'labelColumn', names, source);
}

/** The first of the known names that a column has, whatever its case. */
export function byName(names: readonly string[], known: readonly string[]): string | undefined {
  for (const wanted of known) {
    const found = names.find((name) => name.toLowerCase() === wanted);
    if (found !== undefined) return found;
  }
  return undefined;
}

function unclear(what: string, option: string, names: readonly string[], source: string): DataError {
  return new DataError(
    'AMBIGUOUS_COLUMNS',
    `${source}: which column holds the ${what}? Name it with ${option}; it may be ${names.map((name) => shown(name)).join(', ') || 'none: there is no other column'}`,
    names,
  );
}
