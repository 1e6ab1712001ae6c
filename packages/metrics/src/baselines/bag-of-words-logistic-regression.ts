import { accuracyScore } from '../accuracy';
import { checkedInteger, MetricsError, shown } from '../errors';
import { f1Score } from '../precision-recall';
import { BagOfWords, type BagOfWordsOptions } from './bag-of-words';
import { fitLogisticRegression, type LogisticModel, type LogisticOptions, predictClasses } from './logistic-regression';
import { type SparseRows, takeRows } from './sparse-rows';

export interface BagOfWordsLogisticRegressionOptions extends BagOfWordsOptions {
  trainTexts: readonly string[];
  /** Class of each training text, 0..numClasses - 1. */
  trainLabels: ArrayLike<number>;
  testTexts: readonly string[];
  /** Class of each test text. */
  testLabels: ArrayLike<number>;
  numClasses: number;
  /**
   * Inverse strength of the L2 penalty. Default 1, sklearn's. Of several, the one with the best accuracy on a held-out
   * fifth of the training texts is used (the smallest of equally good ones) and fitted on all of them.
   */
  C?: number | readonly number[];
  /** The fit ends where no entry of the gradient of the mean loss is larger. Default 1e-4, sklearn's. */
  tolerance?: number;
  /** Default 1000; `converged` says whether it sufficed. */
  maxIterations?: number;
}

export interface BagOfWordsLogisticRegressionResult {
  accuracy: number;
  /** Over the classes that occur among test labels or predictions. */
  macroF1: number;
  predictions: Int32Array;
  /** Words (and word sequences) the model knows. */
  numFeatures: number;
  C: number;
  /** Accuracy on the held-out fifth of the training texts by C, where several were given. */
  validationAccuracy: { C: number; accuracy: number }[];
  iterations: number;
  converged: boolean;
}

/**
 * The baseline that a fine-tuned model has to beat: multinomial logistic regression on counts of lower-cased words, as
 * `make_pipeline(CountVectorizer(), LogisticRegression())` in sklearn. Deterministic. Runs synchronously: some seconds
 * for ten thousand texts of 77 classes, so a page calls it in a worker.
 *
 * @throws MetricsError EMPTY, LENGTH_MISMATCH, INVALID_LABEL with the position, INVALID_OPTION; INVALID_LABEL where the
 *   training labels are all of one class
 */
export function bagOfWordsLogisticRegression(
  options: BagOfWordsLogisticRegressionOptions,
): BagOfWordsLogisticRegressionResult {
  const { trainTexts, testTexts, numClasses, C = 1, tolerance = 1e-4, maxIterations = 1000 } = options;
  checkedInteger('numClasses', numClasses, 2);
  checkedInteger('maxIterations', maxIterations, 1);
  if (!(tolerance > 0)) {
    throw new MetricsError('INVALID_OPTION', `tolerance is ${shown(tolerance)}: pass a number above 0.`, {
      value: tolerance,
    });
  }
  const trainLabels = checkClasses('training', trainTexts, options.trainLabels, numClasses);
  const testLabels = checkClasses('test', testTexts, options.testLabels, numClasses);
  const candidates = checkStrengths(C);
  const bag = new BagOfWords(trainTexts, options);
  const problem = knownClasses(bag.count(trainTexts), trainLabels);
  const settings = { tolerance, maxIterations };
  const validationAccuracy = candidates.length > 1 ? holdOut(problem, candidates, settings) : [];
  const best = validationAccuracy.reduce((a, b) => (b.accuracy > a.accuracy ? b : a), {
    C: candidates[0]!,
    accuracy: -1,
  });
  const model = fit(problem, { C: best.C, ...settings });
  const predictions = predictClasses(bag.count(testTexts), model).map((known) => problem.classes[known]!);
  return {
    accuracy: accuracyScore(testLabels, predictions),
    macroF1: f1Score(testLabels, predictions, { average: 'macro' }),
    predictions,
    numFeatures: bag.size,
    C: best.C,
    validationAccuracy,
    iterations: model.fit.iterations,
    converged: model.fit.converged,
  };
}

/** A training set whose labels count only the classes that occur; `classes` says which those are. */
interface Problem {
  rows: SparseRows;
  labels: Int32Array;
  classes: number[];
}

function knownClasses(rows: SparseRows, labels: Int32Array): Problem {
  const classes = [...new Set(labels)].sort((a, b) => a - b);
  if (classes.length < 2) {
    const message = `All training labels are ${classes[0]}: there is nothing to tell apart; majorityClassBaseline says as much.`;
    throw new MetricsError('INVALID_LABEL', message, { value: classes[0] });
  }
  const position = new Map(classes.map((label, known) => [label, known]));
  return { rows, labels: labels.map((label) => position.get(label)!), classes };
}

function fit({ rows, labels, classes }: Problem, options: LogisticOptions): LogisticModel {
  return fitLogisticRegression(rows, labels, classes.length, options);
}

/** Every fifth text of each class is held out, so that both parts keep the classes' shares; each fit starts from the last. */
function holdOut(
  { rows, labels, classes }: Problem,
  candidates: readonly number[],
  settings: Omit<LogisticOptions, 'C'>,
): { C: number; accuracy: number }[] {
  const seen = new Int32Array(classes.length);
  const held: number[] = [];
  const kept: number[] = [];
  labels.forEach((label, row) => (++seen[label]! % 5 === 0 ? held : kept).push(row));
  if (held.length === 0) {
    const message = 'No class has five training texts, too few to choose C by: pass a single C.';
    throw new MetricsError('INVALID_OPTION', message, { value: candidates });
  }
  const at = (rowsOfPart: readonly number[]): Int32Array => Int32Array.from(rowsOfPart, (row) => labels[row]!);
  const part: Problem = { rows: takeRows(rows, kept), labels: at(kept), classes };
  const heldRows = takeRows(rows, held);
  const heldLabels = at(held);
  let from: Float64Array | undefined;
  return candidates.map((C) => {
    const model = fit(part, { C, from, ...settings });
    from = model.weights;
    return { C, accuracy: accuracyScore(heldLabels, predictClasses(heldRows, model)) };
  });
}

function checkStrengths(C: number | readonly number[]): number[] {
  const candidates = [C].flat().sort((a, b) => a - b);
  const wrong = candidates.find((candidate) => !(candidate > 0 && candidate < Infinity));
  if (candidates.length === 0 || wrong !== undefined) {
    throw new MetricsError('INVALID_OPTION', `C is ${shown(wrong ?? C)}: pass positive numbers.`, {
      value: wrong ?? C,
    });
  }
  return candidates;
}

function checkClasses(
  part: 'training' | 'test',
  texts: readonly string[],
  labels: ArrayLike<number>,
  numClasses: number,
): Int32Array {
  if (texts.length === 0) throw new MetricsError('EMPTY', `There is no ${part} text: pass at least one.`);
  if (texts.length !== labels.length) {
    const message = `${texts.length} ${part} texts against ${labels.length} labels: pass one of each a sample.`;
    throw new MetricsError('LENGTH_MISMATCH', message, { value: [texts.length, labels.length] });
  }
  return Int32Array.from({ length: labels.length }, (_, i) => {
    const label = labels[i]!;
    if (!Number.isInteger(label) || label < 0 || label >= numClasses) {
      const message = `Label ${i} of the ${part} texts is ${shown(label)}: classes go from 0 to ${numClasses - 1}.`;
      throw new MetricsError('INVALID_LABEL', message, { value: label });
    }
    return label;
  });
}
