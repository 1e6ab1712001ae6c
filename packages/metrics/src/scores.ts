import { MetricsError, shown } from './errors';

/** One row of scores a sample, one column a class: rows, or one row-major array with its shape (as a tensor is read back). */
export type ScoreMatrix = readonly ArrayLike<number>[] | DenseScores;

export interface DenseScores<Data extends ArrayLike<number> = ArrayLike<number>> {
  readonly data: Data;
  /** Samples, classes. */
  readonly shape: readonly [number, number];
}

/** A score matrix after its check, row-major. */
export interface CheckedScores extends DenseScores {
  readonly samples: number;
  readonly classes: number;
  /** True where the scores came as 32-bit floats: bounds on their rounding are then float32's. */
  readonly singlePrecision: boolean;
}

/**
 * @throws MetricsError EMPTY without rows or columns, LENGTH_MISMATCH where rows differ in length or the shape does not
 *   fit the data, INVALID_SCORES with row and column for NaN and anything that is not a number
 */
export function checkScores(scores: ScoreMatrix): CheckedScores {
  const checked = 'shape' in scores ? checkDense(scores) : gatherRows(scores);
  const { data, classes } = checked;
  for (let i = 0; i < data.length; i++) {
    const score: unknown = data[i];
    if (typeof score !== 'number' || Number.isNaN(score)) {
      const message = `The score in row ${Math.floor(i / classes)}, column ${i % classes} is ${shown(score)}: scores are numbers.`;
      throw new MetricsError('INVALID_SCORES', message, { value: score });
    }
  }
  return checked;
}

function checkDense({ data, shape }: DenseScores): CheckedScores {
  const [samples, classes] = shape;
  if (shape.length !== 2 || ![samples, classes].every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw new MetricsError(
      'INVALID_SCORES',
      `The shape of the scores is [${shape.join(', ')}]: pass [samples, classes].`,
      { value: shape },
    );
  }
  if (samples * classes !== data.length) {
    const message = `Scores of shape [${samples}, ${classes}] need ${samples * classes} numbers, there are ${data.length}.`;
    throw new MetricsError('LENGTH_MISMATCH', message, { value: data.length });
  }
  if (data.length === 0)
    throw new MetricsError('EMPTY', `Scores of shape [${samples}, ${classes}] hold no number.`, { value: shape });
  return { data, shape, samples, classes, singlePrecision: data instanceof Float32Array };
}

function gatherRows(rows: readonly ArrayLike<number>[]): CheckedScores {
  const samples = rows.length;
  const classes = rows[0]?.length ?? 0;
  if (typeof rows[0] === 'number') {
    throw new MetricsError(
      'INVALID_SCORES',
      'The scores are a flat array: pass rows, or { data, shape: [samples, classes] }.',
      { value: rows[0] },
    );
  }
  if (classes === 0)
    throw new MetricsError('EMPTY', `There are ${samples} rows of ${classes} scores: pass at least one of each.`);
  const data = new Float64Array(samples * classes);
  rows.forEach((row, index) => {
    if (row.length !== classes) {
      const message = `Row ${index} holds ${row.length} scores, row 0 holds ${classes}: every row has one score a class.`;
      throw new MetricsError('LENGTH_MISMATCH', message, { value: row.length });
    }
    for (let column = 0; column < classes; column++) {
      const score: unknown = row[column];
      // A typed array would turn null into 0 and a missing entry into NaN without a word.
      if (typeof score !== 'number') {
        throw new MetricsError(
          'INVALID_SCORES',
          `The score in row ${index}, column ${column} is ${shown(score)}: scores are numbers.`,
          { value: score },
        );
      }
      data[index * classes + column] = score;
    }
  });
  const singlePrecision = rows.every((row) => row instanceof Float32Array);
  return { data, shape: [samples, classes], samples, classes, singlePrecision };
}

/**
 * Checked scores whose entries are probabilities: each from 0 to 1, each row adding up to 1 within 1e-5 (the bound of
 * sklearn's roc_auc_score), or 3.5e-4 where they came as 32-bit floats (that of its log_loss, which only warns).
 *
 * @throws MetricsError INVALID_SCORES with the row
 */
export function checkProbabilities(scores: ScoreMatrix): CheckedScores {
  const checked = checkScores(scores);
  const { data, samples, classes } = checked;
  const tolerance = Math.max(1e-5, Math.sqrt(epsilonOf(checked)));
  for (let row = 0; row < samples; row++) {
    let total = 0;
    for (let column = 0; column < classes; column++) {
      const probability = data[row * classes + column]!;
      if (probability < 0 || probability > 1) {
        const message = `The probability in row ${row}, column ${column} is ${probability}, outside 0..1: pass softmax(logits).`;
        throw new MetricsError('INVALID_SCORES', message, { value: probability });
      }
      total += probability;
    }
    if (Math.abs(total - 1) > tolerance) {
      const message = `The probabilities of row ${row} add up to ${total} and not to 1: pass softmax(logits).`;
      throw new MetricsError('INVALID_SCORES', message, { value: total });
    }
  }
  return checked;
}

/** numpy.finfo(dtype).eps of the scores. */
export function epsilonOf({ singlePrecision }: CheckedScores): number {
  return singlePrecision ? 2 ** -23 : Number.EPSILON;
}

/**
 * Column of the largest score of each row; the first one where several are equal, as numpy.argmax.
 *
 * @throws MetricsError as the scores' check does, also for NaN, which numpy would return as the maximum
 */
export function argmax(scores: ScoreMatrix): Int32Array {
  const { data, samples, classes } = checkScores(scores);
  const best = new Int32Array(samples);
  for (let row = 0; row < samples; row++) {
    const start = row * classes;
    for (let column = 1; column < classes; column++) {
      if (data[start + column]! > data[start + best[row]!]!) best[row] = column;
    }
  }
  return best;
}

/**
 * exp(score) over the row's sum of exp(score), in float64, with the row's largest score subtracted first.
 * A score of -Infinity (a masked class) gets probability 0.
 *
 * @throws MetricsError INVALID_SCORES for NaN, a score of +Infinity, and a row of -Infinity alone
 */
export function softmax(logits: ScoreMatrix): DenseScores<Float64Array> {
  const { data, samples, classes } = checkScores(logits);
  const probabilities = new Float64Array(data.length);
  for (let row = 0; row < samples; row++) {
    const start = row * classes;
    let largest = -Infinity;
    for (let column = 0; column < classes; column++) largest = Math.max(largest, data[start + column]!);
    if (!Number.isFinite(largest)) {
      const message = `The largest logit of row ${row} is ${largest}: a softmax needs a finite one.`;
      throw new MetricsError('INVALID_SCORES', message, { value: largest });
    }
    let total = 0;
    for (let column = 0; column < classes; column++) {
      const weight = Math.exp(data[start + column]! - largest);
      probabilities[start + column] = weight;
      total += weight;
    }
    for (let column = 0; column < classes; column++) probabilities[start + column]! /= total;
  }
  return { data: probabilities, shape: [samples, classes] };
}
