import { MetricsError, shown } from './errors';

/** A class: an integer (usually its index) or a name. One call uses one of the two kinds. */
export type Label = number | string;

/** One label a sample. */
export type Labels = ArrayLike<number> | readonly string[];

/** Both sides of a comparison as positions in `labels`; -1 where a sample's label is not among them. */
export interface EncodedLabels {
  labels: Label[];
  trueIndex: Int32Array;
  predictedIndex: Int32Array;
}

/** Above this, a label is looked up in a map and not in a table of all integers below it. */
const LARGEST_TABLED_LABEL = 1 << 20;

/**
 * Checks two label arrays against each other and encodes them.
 *
 * @param requested the labels to look at, in this order; without it all labels of both sides, sorted (numbers by value,
 *   names by code point, which is Python's order).
 * @throws MetricsError EMPTY, LENGTH_MISMATCH, INVALID_LABEL
 */
export function encodeLabels(trueLabels: Labels, predictedLabels: Labels, requested?: readonly Label[]): EncodedLabels {
  checkPair(trueLabels, predictedLabels);
  const labels = requested === undefined ? sortedUnion([trueLabels, predictedLabels]) : checkedLabelList(requested);
  if (typeof labels[0] !== typeof trueLabels[0]) {
    const message = `The option labels holds ${typeof labels[0]}s, the samples ${typeof trueLabels[0]}s: use one kind.`;
    throw new MetricsError('INVALID_OPTION', message, { value: labels[0] });
  }
  const indexOf = indexLookup(labels);
  return { labels, trueIndex: encode(trueLabels, indexOf), predictedIndex: encode(predictedLabels, indexOf) };
}

/** @throws MetricsError EMPTY, LENGTH_MISMATCH, INVALID_LABEL */
export function checkPair(trueLabels: Labels, predictedLabels: Labels): void {
  if (trueLabels.length !== predictedLabels.length) {
    throw new MetricsError(
      'LENGTH_MISMATCH',
      `${trueLabels.length} true labels against ${predictedLabels.length} predicted labels: pass one of each a sample.`,
      { value: [trueLabels.length, predictedLabels.length] },
    );
  }
  const kind = checkLabels(trueLabels, 'true label');
  const predictedKind = checkLabels(predictedLabels, 'predicted label');
  if (kind !== predictedKind) {
    throw new MetricsError(
      'INVALID_LABEL',
      `True labels are ${kind}s (${shown(trueLabels[0])}), predicted labels ${predictedKind}s (${shown(predictedLabels[0])}): map both to the same kind.`,
      { value: [trueLabels[0], predictedLabels[0]] },
    );
  }
}

/**
 * All integers or all strings.
 *
 * @throws MetricsError EMPTY, INVALID_LABEL with the position
 */
export function checkLabels(labels: Labels, what: string): 'number' | 'string' {
  if (labels.length === 0) throw new MetricsError('EMPTY', `There is no ${what}: pass at least one sample.`);
  const kind = typeof labels[0] === 'string' ? 'string' : 'number';
  for (let i = 0; i < labels.length; i++) {
    const label: unknown = labels[i];
    if (typeof label !== kind || (kind === 'number' && !Number.isSafeInteger(label))) {
      throw new MetricsError(
        'INVALID_LABEL',
        `${what[0]!.toUpperCase()}${what.slice(1)} ${i} is ${shown(label)}: labels are integers, or strings throughout.`,
        { value: label },
      );
    }
  }
  return kind;
}

/** A caller's list of labels: not empty, of one kind, none twice. */
export function checkedLabelList(labels: readonly Label[]): Label[] {
  checkLabels(labels as Labels, 'label of the option `labels`');
  const seen = new Set<Label>();
  for (const label of labels) {
    if (seen.has(label)) {
      throw new MetricsError('INVALID_OPTION', `labels holds ${shown(label)} twice: name each label once.`, {
        value: label,
      });
    }
    seen.add(label);
  }
  return [...labels];
}

/** The distinct labels of arrays that were checked before, in sklearn's order. */
function sortedUnion(arrays: readonly Labels[]): Label[] {
  const seen = new Set<Label>();
  for (const array of arrays) for (let i = 0; i < array.length; i++) seen.add(array[i]!);
  return [...seen].sort(compareLabels);
}

/** sklearn's order: numbers by value, names by code point. */
export function compareLabels(a: Label, b: Label): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return compareCodePoints(String(a), String(b));
}

/** Python's order of strings. JavaScript's `<` compares UTF-16 units, which puts U+1F600 before U+FF5E. */
function compareCodePoints(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) {
    if (a.charCodeAt(i) === b.charCodeAt(i)) continue;
    const start = i > 0 && isLowSurrogate(a.charCodeAt(i)) && isLowSurrogate(b.charCodeAt(i)) ? i - 1 : i;
    return a.codePointAt(start)! - b.codePointAt(start)!;
  }
  return a.length - b.length;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}

/** From a label to its position in the list, -1 where it is not in it. */
export function indexLookup(labels: readonly Label[]): (label: Label) => number {
  const tabled = labels.every((label) => typeof label === 'number' && label >= 0 && label <= LARGEST_TABLED_LABEL);
  if (!tabled) {
    const positions = new Map(labels.map((label, position) => [label, position]));
    return (label) => positions.get(label) ?? -1;
  }
  const table = new Int32Array((labels as number[]).reduce((a, b) => Math.max(a, b), 0) + 1).fill(-1);
  labels.forEach((label, position) => (table[label as number] = position));
  return (label) => table[label as number] ?? -1;
}

function encode(labels: Labels, indexOf: (label: Label) => number): Int32Array {
  const index = new Int32Array(labels.length);
  for (let i = 0; i < labels.length; i++) index[i] = indexOf(labels[i]!);
  return index;
}
