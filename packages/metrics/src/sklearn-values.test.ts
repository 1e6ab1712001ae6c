import { describe, expect, it } from 'vitest';
import {
  accuracyScore,
  argmax,
  balancedAccuracyScore,
  confusionMatrix,
  expectedCalibrationError,
  f1Score,
  logLoss,
  matthewsCorrcoef,
  metricsFromConfusion,
  precisionRecallFscoreSupport,
  rocAucScore,
  softmax,
  topKAccuracyScore,
} from './index';

// 200 samples of 5 classes from integer arithmetic, so that Python makes the same ones; every expected value below is
// what scikit-learn 1.9.1 returned for them (numpy for the calibration error, which scikit-learn does not have).
const samples = 200;
const classes = 5;
const labels = Array.from({ length: samples }, (_, i) => (i * i + 3 * i + Math.floor(i / 7)) % classes);
const table = (cell: (i: number, j: number) => number): number[][] =>
  labels.map((_, i) => Array.from({ length: classes }, (_column, j) => cell(i, j)));
const logits = table((i, j) => ((i * 37 + j * 91 + i * j * 17) % 101) / 25 + (j === labels[i] ? 1.5 : 0));
const soft = softmax(logits);
const tied = table((i, j) => ((i * 5 + j * 11 + i * j * 3) % 7) + 1 + (j === labels[i] ? 2 : 0)).map((row) => {
  const total = row.reduce((a, b) => a + b, 0);
  return row.map((weight) => weight / total);
});
const predictions = argmax(logits);

function close(actual: number | readonly number[], expected: number | readonly number[]): void {
  const [a, b] = [[actual].flat(), [expected].flat()];
  expect(a).toHaveLength(b.length);
  a.forEach((value, i) => expect(Math.abs(value - b[i]!), `${value} against ${b[i]}`).toBeLessThan(1e-12));
}

describe('scikit-learn 1.9.1 on 200 samples of 5 classes', () => {
  it('accuracy, balanced accuracy above chance, MCC', () => {
    close(accuracyScore(labels, predictions), 0.58);
    close(balancedAccuracyScore(labels, predictions, { adjusted: true }), 0.4773036487322201);
    close(matthewsCorrcoef(labels, predictions), 0.47434689869970403);
  });

  it('precision, recall, F and support of each class', () => {
    const { precision, recall, fscore, support } = precisionRecallFscoreSupport(labels, predictions);
    close(precision, [0.6, 0.42857142857142855, 0.6, 0.6216216216216216, 0.6666666666666666]);
    close(recall, [0.5, 0.5, 0.6122448979591837, 0.696969696969697, 0.6]);
    close(fscore, [0.5454545454545454, 0.46153846153846156, 0.6060606060606061, 0.6571428571428571, 0.631578947368421]);
    expect(support).toEqual([42, 36, 49, 33, 40]);
  });

  it.each([
    [0.5, 0.5816084430262214],
    [2, 0.580717343070701],
    [0, 0.5833719433719433],
    [Infinity, 0.5818429189857761],
  ])('macro F with beta %d', (beta, expected) => {
    close(precisionRecallFscoreSupport(labels, predictions, { average: 'macro', beta }).fscore, expected);
  });

  it.each([
    ['true', [0.2222222222222222, 0.5, 0.1388888888888889, 0.05555555555555555, 0.08333333333333333]],
    ['pred', [0.22857142857142856, 0.42857142857142855, 0.1, 0.05405405405405406, 0.08333333333333333]],
    ['all', [0.04, 0.09, 0.025, 0.01, 0.015]],
  ] as const)('second row of the confusion matrix normalised over %s', (normalize, expected) => {
    close(confusionMatrix(labels, predictions, { normalize })[1]!, expected);
  });

  it.each([
    [1, 0.58, 0.58],
    [2, 0.705, 0.665],
    [3, 0.89, 0.805],
  ])('top-%d accuracy, without and with ties', (k, distinct, withTies) => {
    close(topKAccuracyScore(labels, soft, { k }), distinct);
    close(topKAccuracyScore(labels, tied, { k }), withTies);
  });

  it('log loss', () => {
    close(logLoss(labels, soft), 1.0662479767119963);
    close(logLoss(labels, tied), 1.3707606086000081);
  });

  it('ROC AUC, one class against the rest', () => {
    close(
      rocAucScore(labels, soft, { average: 'none' }),
      [0.8199216395418928, 0.826388888888889, 0.8299770239221517, 0.9014697876973325, 0.86328125],
    );
    close(rocAucScore(labels, soft), 0.8482077180100532);
    close(rocAucScore(labels, soft, { average: 'weighted' }), 0.8456766801347846);
    close(rocAucScore(labels, soft, { average: 'micro' }), 0.84948125);
  });

  it('ROC AUC of scores with ties', () => {
    close(
      rocAucScore(labels, tied, { average: null }),
      [0.833634719710669, 0.7174796747967479, 0.781186646844168, 0.8577390673199057, 0.7223437500000001],
    );
    close(rocAucScore(labels, tied), 0.7824767717342981);
    close(rocAucScore(labels, tied, { average: 'weighted' }), 0.7815960571872609);
    close(rocAucScore(labels, tied, { average: 'micro' }), 0.745625);
  });

  it.each([
    [1, 0.012920665975418744, 0.3179356679742836],
    [10, 0.0839591039157591, 0.31793566797428346],
    [15, 0.11737445187331025, 0.34311051082361155],
  ])('expected calibration error over %d bins', (numBins, ofSoft, ofTied) => {
    close(expectedCalibrationError(labels, soft, { numBins }), ofSoft);
    close(expectedCalibrationError(labels, tied, { numBins }), ofTied);
  });

  it('scores given as a tensor is read back equal scores given as rows', () => {
    const flat = { data: Float64Array.from(tied.flat()), shape: [samples, classes] as const };
    expect(logLoss(labels, flat)).toBe(logLoss(labels, tied));
    expect(rocAucScore(Int32Array.from(labels), flat)).toBe(rocAucScore(labels, tied));
  });
});

describe('classes that are missing on one side', () => {
  const actual = [0, 0, 1, 1, 2, 2];
  const predicted = [0, 0, 0, 3, 3, 0];

  it.each([
    [0, 'macro', [0.125, 0.25, 0.16666666666666666]],
    [0, 'weighted', [0.16666666666666666, 0.3333333333333333, 0.2222222222222222]],
    [1, 'macro', [0.625, 0.5, 0.16666666666666666]],
    [1, 'micro', [0.3333333333333333, 0.3333333333333333, 0.3333333333333333]],
    [1, 'weighted', [0.8333333333333334, 0.3333333333333333, 0.2222222222222222]],
    [Number.NaN, 'macro', [0.25, 0.3333333333333333, 0.16666666666666666]],
    [Number.NaN, 'weighted', [0.5, 0.3333333333333333, 0.2222222222222222]],
  ] as const)('zeroDivision %d, average %s', (zeroDivision, average, expected) => {
    const scores = precisionRecallFscoreSupport(actual, predicted, { average, zeroDivision });
    close([scores.precision, scores.recall, scores.fscore], expected);
    const metrics = metricsFromConfusion(confusionMatrix(actual, predicted), { zeroDivision });
    close([metrics.precision[average], metrics.recall[average], metrics.f1[average]], expected);
  });

  it('marks undefined scores of single classes with NaN when asked to', () => {
    expect(precisionRecallFscoreSupport(actual, predicted, { zeroDivision: Number.NaN })).toEqual({
      precision: [0.5, NaN, NaN, 0],
      recall: [1, 0, 0, NaN],
      fscore: [2 / 3, 0, 0, 0],
      support: [2, 2, 2, 0],
    });
  });

  it.each([
    [0, [0, 0, 0]],
    [1, [0.5, 1, 0.5]],
    [Number.NaN, [0, NaN, 0]],
  ])('weights that are all zero are ignored (zeroDivision %d)', (zeroDivision, expected) => {
    const options = { labels: [7, 3], average: 'weighted', zeroDivision } as const;
    const { precision, recall, fscore } = precisionRecallFscoreSupport(actual, predicted, options);
    expect([precision, recall, fscore]).toEqual(expected);
  });

  it('counts samples with one side outside `labels` for the scores, but not in the matrix', () => {
    const { precision, recall, fscore } = precisionRecallFscoreSupport(actual, predicted, {
      labels: [0, 3],
      average: 'micro',
    });
    close([precision, recall, fscore], [1 / 3, 1, 0.5]);
    expect(confusionMatrix(actual, predicted, { labels: [2, 0, 3] })).toEqual([
      [0, 1, 1],
      [0, 2, 0],
      [0, 0, 0],
    ]);
  });

  it('has no ROC AUC for a class without samples', () => {
    const probabilities = [
      [0.5, 0.3, 0.2],
      [0.3, 0.5, 0.2],
      [0.4, 0.4, 0.2],
      [0.2, 0.2, 0.6],
    ];
    expect(rocAucScore([0, 1, 0, 1], probabilities, { average: 'none' })).toEqual([1, 0.5, NaN]);
    expect(rocAucScore([0, 1, 0, 1], probabilities)).toBeNaN();
    expect(rocAucScore([0, 1, 0, 1], probabilities, { average: 'weighted' })).toBe(0.75);
  });
});

describe('two classes, and classes by name', () => {
  it('scores the positive class by default', () => {
    const [actual, predicted] = [
      [0, 1, 1, 0, 1],
      [1, 1, 0, 0, 1],
    ];
    close(f1Score(actual, predicted), 2 / 3);
    close(f1Score(actual, predicted, { posLabel: 0 }), 0.5);
    close(f1Score(['ham', 'spam', 'spam'], ['spam', 'spam', 'ham'], { posLabel: 'spam' }), 0.5);
    expect(f1Score([0, 0], [0, 0])).toBe(0);
  });

  it('sorts names by code point, as Python does', () => {
    const actual = ['card', 'fee', 'Fee', '😀', '～', 'card', 'card', 'fee'];
    const predicted = ['card', 'card', 'Fee', '～', '～', 'card', 'fee', 'fee'];
    close(f1Score(actual, predicted, { average: 'none' }), [1, 2 / 3, 0.5, 2 / 3, 0]);
    expect(confusionMatrix(actual, predicted)[3]).toEqual([0, 0, 0, 1, 0]);
    expect(confusionMatrix(actual, predicted)[4]).toEqual([0, 0, 0, 1, 0]);
  });

  it('has a correlation of 0 where one side is all of one class, and takes negative labels', () => {
    expect(matthewsCorrcoef([1, 1, 1], [1, 1, 2])).toBe(0);
    close(matthewsCorrcoef([1, 1, 1, -1], [1, -1, 1, 1]), -1 / 3);
  });

  it('clips the probability of a confident mistake by the float type it came in', () => {
    close(
      logLoss(
        [0, 1],
        [
          [1, 0],
          [1, 0],
        ],
      ),
      18.021826694558577,
    );
    // sklearn gives 7.971192359924316 in float32 arithmetic; the same sum in float64 differs in the eighth digit.
    const single = { data: Float32Array.of(1, 0, 1, 0), shape: [2, 2] as const };
    expect(logLoss([0, 1], single)).toBeCloseTo(7.971192359924316, 6);
  });
});
