import { minimize, type Minimum, type MinimizeOptions } from './lbfgs';
import { type SparseRows } from './sparse-rows';

/** Weights of a multinomial model, [features + 1, classes] row-major; the last row is the intercept. */
export interface LogisticModel {
  weights: Float64Array;
  classes: number;
  /** How the fit ended. */
  fit: Minimum;
}

export interface LogisticOptions extends MinimizeOptions {
  /** Inverse strength of the L2 penalty; the intercept has none. */
  C: number;
  /** Weights to start from; zeros without it. Not changed. */
  from?: Float64Array;
}

/**
 * Multinomial logistic regression over the full batch: minimises mean cross-entropy + |W|^2 / (2 C n), the objective of
 * sklearn.linear_model.LogisticRegression. It is convex, so the fit is the same whatever the solver, up to its tolerance.
 *
 * @param labels class of each row, 0..classes - 1; every class should have a row, or its intercept has no minimum
 */
export function fitLogisticRegression(
  rows: SparseRows,
  labels: Int32Array,
  classes: number,
  { C, from, tolerance, maxIterations }: LogisticOptions,
): LogisticModel {
  const weights = from ? from.slice() : new Float64Array((rows.columns + 1) * classes);
  const penalty = 1 / (C * rows.rows);
  const intercept = rows.columns * classes;
  const scores = new Float64Array(classes);
  const objective = (point: Float64Array, gradient: Float64Array): number => {
    let squares = 0;
    for (let i = 0; i < intercept; i++) {
      squares += point[i]! * point[i]!;
      gradient[i] = penalty * point[i]!;
    }
    gradient.fill(0, intercept);
    let loss = 0;
    for (let row = 0; row < rows.rows; row++) {
      rowScores(rows, row, point, scores);
      const label = labels[row]!;
      const target = scores[label]!;
      const largest = scores.reduce((a, b) => Math.max(a, b), -Infinity);
      let total = 0;
      for (let c = 0; c < classes; c++) total += scores[c] = Math.exp(scores[c]! - largest);
      loss += Math.log(total) + largest - target;
      for (let c = 0; c < classes; c++) {
        scores[c] = (scores[c]! / total - (c === label ? 1 : 0)) / rows.rows;
        gradient[intercept + c]! += scores[c]!;
      }
      for (let at = rows.start[row]!; at < rows.start[row + 1]!; at++) {
        const base = rows.column[at]! * classes;
        const count = rows.value[at]!;
        for (let c = 0; c < classes; c++) gradient[base + c]! += count * scores[c]!;
      }
    }
    return loss / rows.rows + (penalty / 2) * squares;
  };
  const fit = minimize(objective, weights, { tolerance, maxIterations });
  return { weights, classes, fit };
}

/** Class with the largest score for each row. */
export function predictClasses(rows: SparseRows, { weights, classes }: LogisticModel): Int32Array {
  const scores = new Float64Array(classes);
  return Int32Array.from({ length: rows.rows }, (_, row) => {
    rowScores(rows, row, weights, scores);
    return scores.reduce((best, score, c) => (score > scores[best]! ? c : best), 0);
  });
}

function rowScores(rows: SparseRows, row: number, weights: Float64Array, scores: Float64Array): void {
  const classes = scores.length;
  const intercept = rows.columns * classes;
  for (let c = 0; c < classes; c++) scores[c] = weights[intercept + c]!;
  for (let at = rows.start[row]!; at < rows.start[row + 1]!; at++) {
    const base = rows.column[at]! * classes;
    const count = rows.value[at]!;
    for (let c = 0; c < classes; c++) scores[c]! += count * weights[base + c]!;
  }
}
