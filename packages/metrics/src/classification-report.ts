import { countClasses } from './class-counts';
import { checkedInteger, MetricsError, shown } from './errors';
import { encodeLabels, type Label, type Labels } from './labels';
import { type AveragedScores, type ClassScores, scoresFromCounts } from './precision-recall';
import { sum } from './summation';

export interface ClassificationReportOptions {
  /** Classes to report, in this order. Default: all that occur, sorted. */
  labels?: readonly Label[];
  /** What to print for each of them, in the same order. Default: the labels themselves. */
  targetNames?: readonly string[];
  /** Score where there is nothing to divide by: 0 (default), 1 or NaN. */
  zeroDivision?: number;
}

export interface ClassificationReportTextOptions extends ClassificationReportOptions {
  /** Digits after the point. Default 2. */
  digits?: number;
}

/** The keys are sklearn's, so that the object reads the same to tools made for its output_dict. */
export interface ReportRow {
  precision: number;
  recall: number;
  'f1-score': number;
  support: number;
}

/**
 * A row by class name, then `accuracy` (a number; a `micro avg` row instead where `labels` leaves out classes that occur),
 * `macro avg` and `weighted avg`.
 */
export type ClassificationReportObject = Record<string, ReportRow | number>;

interface Report {
  names: string[];
  rows: ReportRow[];
  micro: ReportRow;
  microIsAccuracy: boolean;
  macro: ReportRow;
  weighted: ReportRow;
}

/**
 * sklearn.metrics.classification_report, byte for byte; but where no prediction at all is right, sklearn 1.9 prints the
 * supports as `1.0`, and this prints `1` as ever.
 *
 * @throws MetricsError EMPTY, LENGTH_MISMATCH (also between classes and targetNames), INVALID_LABEL, INVALID_OPTION
 */
export function classificationReport(
  trueLabels: Labels,
  predictedLabels: Labels,
  options: ClassificationReportTextOptions = {},
): string {
  const digits = checkedInteger('digits', options.digits ?? 2, 0, 99);
  const { names, rows, micro, microIsAccuracy, macro, weighted } = report(trueLabels, predictedLabels, options);
  const width = Math.max(...names.map((name) => [...name].length), 'weighted avg'.length, digits);
  const line = (name: string, cells: readonly string[]): string =>
    `${padStart(name, width)} ${cells.map((cell) => ` ${padStart(cell, 9)}`).join('')}\n`;
  const row = (name: string, scores: ReportRow): string =>
    line(name, [
      ...[scores.precision, scores.recall, scores['f1-score']].map((score) => fixed(score, digits)),
      String(scores.support),
    ]);
  return [
    line('', ['precision', 'recall', 'f1-score', 'support']),
    '\n',
    ...rows.map((scores, i) => row(names[i]!, scores)),
    '\n',
    microIsAccuracy
      ? line('accuracy', ['', '', fixed(micro['f1-score'], digits), String(micro.support)])
      : row('micro avg', micro),
    row('macro avg', macro),
    row('weighted avg', weighted),
  ].join('');
}

/**
 * sklearn.metrics.classification_report(output_dict=True).
 *
 * @throws MetricsError as classificationReport, and INVALID_OPTION where two rows would share a name (sklearn keeps the last)
 */
export function classificationReportObject(
  trueLabels: Labels,
  predictedLabels: Labels,
  options: ClassificationReportOptions = {},
): ClassificationReportObject {
  const { names, rows, micro, microIsAccuracy, macro, weighted } = report(trueLabels, predictedLabels, options);
  const entries: [string, ReportRow | number][] = [
    ...rows.map((row, i): [string, ReportRow] => [names[i]!, row]),
    microIsAccuracy ? ['accuracy', micro['f1-score']] : ['micro avg', micro],
    ['macro avg', macro],
    ['weighted avg', weighted],
  ];
  const seen = new Set<string>();
  for (const [name] of entries) {
    if (seen.has(name)) {
      throw new MetricsError(
        'INVALID_OPTION',
        `The report has two rows named ${shown(name)}: choose other targetNames.`,
        { value: name },
      );
    }
    seen.add(name);
  }
  // fromEntries defines keys, so that a class called __proto__ is a key like any other.
  return Object.fromEntries(entries);
}

function report(trueLabels: Labels, predictedLabels: Labels, options: ClassificationReportOptions): Report {
  const { labels: requested, targetNames, zeroDivision = 0 } = options;
  const encoded = encodeLabels(trueLabels, predictedLabels, requested);
  if (targetNames !== undefined && targetNames.length !== encoded.labels.length) {
    const message = `targetNames holds ${targetNames.length} names for ${encoded.labels.length} classes: pass one a class, and labels to say which.`;
    throw new MetricsError('LENGTH_MISMATCH', message, { value: targetNames.length });
  }
  const counts = countClasses(encoded);
  const perClass = scoresFromCounts(counts, { average: 'none', zeroDivision }) as ClassScores;
  const support = sum(counts.actual);
  const averaged = (average: 'micro' | 'macro' | 'weighted'): ReportRow => {
    const { precision, recall, fscore } = scoresFromCounts(counts, { average, zeroDivision }) as AveragedScores;
    return { precision, recall, 'f1-score': fscore, support };
  };
  return {
    names: targetNames === undefined ? encoded.labels.map(String) : [...targetNames],
    rows: perClass.precision.map((precision, c) => ({
      precision,
      recall: perClass.recall[c]!,
      'f1-score': perClass.fscore[c]!,
      support: perClass.support[c]!,
    })),
    micro: averaged('micro'),
    microIsAccuracy: [encoded.trueIndex, encoded.predictedIndex].every((index) => index.every((c) => c >= 0)),
    macro: averaged('macro'),
    weighted: averaged('weighted'),
  };
}

/** Pads to a width in code points, which Python's format counts. */
function padStart(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - [...text].length)) + text;
}

/** Python's `f` format: exact ties go to the even digit (0.125 -> 0.12), where toFixed rounds them up. */
function fixed(value: number, digits: number): string {
  if (Number.isNaN(value)) return 'nan';
  const rounded = value.toFixed(digits);
  // A tie ends at the next digit, so it is a multiple of 2^-(digits + 1), and its decimal expansion is exact there.
  if (!Number.isInteger(value * 2 ** (digits + 1))) return rounded;
  const exact = value.toFixed(digits + 1);
  if (!exact.endsWith('5')) return rounded;
  const lower = digits === 0 ? exact.slice(0, -2) : exact.slice(0, -1);
  return Number(lower.at(-1)) % 2 === 0 ? lower : rounded;
}
