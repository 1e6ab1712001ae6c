import { metricsFromConfusion } from '@qlora-js/metrics';
import { ReportError } from '../errors';
import { type TestResults } from '../input';
import { type ConfidenceBin, type ConfusedPair, type TestFigures, type WrongRow } from './report-figures';

const MOST_PAIRS = 20;
const EXAMPLES_A_PAIR = 3;
const MOST_ERRORS = 30;
/** Bins of calibration, as Guo et al. 2017 have them. */
const BINS = 15;
const LONGEST_TEXT = 300;

/** @throws ReportError INVALID_RESULTS that names the column and the row */
export function testFigures(test: TestResults): TestFigures {
  check(test);
  const { labels, truth, predicted } = test;
  const counts = labels.map(() => new Float64Array(labels.length));
  truth.forEach((label, row) => counts[label]![predicted[row]!]!++);
  const metrics = metricsFromConfusion(counts);
  const { precision, recall, fscore, support } = metrics.perClass;
  const classes = labels.map((label, i) => ({
    label,
    precision: precision[i]!,
    recall: recall[i]!,
    f1: fscore[i]!,
    support: support[i]!,
  }));
  const cells = counts.flatMap((row, i) =>
    Array.from(row, (count, j) => [i, j, count] as const).filter(([, , count]) => count > 0),
  );
  const bins = confidenceBins(test);
  const wrong = wrongRows(test);
  return {
    rows: truth.length,
    accuracy: metrics.accuracy,
    f1Weighted: metrics.f1.weighted,
    f1Macro: metrics.f1.macro,
    classes: classes.sort((a, b) => a.f1 - b.f1 || (a.label < b.label ? -1 : 1)),
    labels: [...labels],
    confusion: cells,
    pairs: confusedPairs(test, cells),
    confidence: bins,
    expectedCalibrationError:
      bins.length === 0
        ? null
        : bins.reduce(
            (sum, { right, wrong: bad, accuracy, confidence }) =>
              accuracy === null || confidence === null ? sum : sum + (right + bad) * Math.abs(accuracy - confidence),
            0,
          ) / truth.length,
    errors: wrong.slice(0, MOST_ERRORS),
    wrongRows: wrong.length,
  };
}

function check({ labels, truth, predicted, confidence, texts }: TestResults): void {
  const columns = Object.entries({ predicted, confidence, texts });
  if (labels.length === 0 || truth.length === 0) {
    throw new ReportError('INVALID_RESULTS', 'there are no labels or no rows', { place: 'test' });
  }
  for (const [name, column] of columns) {
    if (column !== undefined && column.length !== truth.length) {
      throw new ReportError('INVALID_RESULTS', `${column.length} rows and truth has ${truth.length}`, {
        place: `test.${name}`,
      });
    }
  }
  for (const [name, column] of Object.entries({ truth, predicted })) {
    const row = column.findIndex((label) => !Number.isInteger(label) || label < 0 || label >= labels.length);
    if (row >= 0) {
      throw new ReportError(
        'INVALID_RESULTS',
        `class ${String(column[row])} of row ${row} is none of ${labels.length}`,
        {
          place: `test.${name}`,
          value: column[row],
        },
      );
    }
  }
  const row = confidence?.findIndex((value) => !(value >= 0 && value <= 1)) ?? -1;
  if (row >= 0) {
    throw new ReportError('INVALID_RESULTS', `row ${row} is ${String(confidence![row])}, which is no probability`, {
      place: 'test.confidence',
      value: confidence![row],
    });
  }
}

function confusedPairs(
  { labels, truth, predicted, texts }: TestResults,
  cells: readonly (readonly [number, number, number])[],
): ConfusedPair[] {
  const wrong = cells.filter(([i, j]) => i !== j).sort((a, b) => b[2] - a[2] || a[0] - b[0] || a[1] - b[1]);
  return wrong.slice(0, MOST_PAIRS).map(([i, j, count]) => ({
    truth: labels[i]!,
    predicted: labels[j]!,
    count,
    examples: (texts ?? [])
      .filter((_, row) => truth[row] === i && predicted[row] === j)
      .slice(0, EXAMPLES_A_PAIR)
      .map(shortened),
  }));
}

/** Reliability by bins ]lower, upper] of the predicted class' probability; a probability of 0 belongs to the first. */
function confidenceBins({ truth, predicted, confidence }: TestResults): ConfidenceBin[] {
  if (confidence === undefined) return [];
  const bins = Array.from({ length: BINS }, () => ({ right: 0, wrong: 0, sum: 0 }));
  confidence.forEach((value, row) => {
    const bin = bins[Math.max(0, Math.ceil(value * BINS) - 1)]!;
    if (truth[row] === predicted[row]) bin.right++;
    else bin.wrong++;
    bin.sum += value;
  });
  return bins.map(({ right, wrong, sum }, i) => {
    const count = right + wrong;
    return {
      lower: i / BINS,
      upper: (i + 1) / BINS,
      right,
      wrong,
      confidence: count === 0 ? null : sum / count,
      accuracy: count === 0 ? null : right / count,
    };
  });
}

/** The surest first; without confidences in the rows' order. */
function wrongRows({ labels, truth, predicted, confidence, texts }: TestResults): WrongRow[] {
  const rows = truth.flatMap((label, row) => (label === predicted[row] ? [] : [row]));
  if (confidence !== undefined) rows.sort((a, b) => confidence[b]! - confidence[a]! || a - b);
  return rows.map((row) => ({
    row,
    text: shortened(texts?.[row] ?? ''),
    truth: labels[truth[row]!]!,
    predicted: labels[predicted[row]!]!,
    confidence: confidence?.[row] ?? null,
  }));
}

function shortened(text: string): string {
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT - 3)}...` : text;
}
