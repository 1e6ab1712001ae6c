import { describe, expect, it } from 'vitest';
import {
  accuracyScore,
  argmax,
  balancedAccuracyScore,
  calibrationBins,
  classificationReport,
  confusionMatrix,
  expectedCalibrationError,
  f1Score,
  logLoss,
  metricsFromConfusion,
  MetricsError,
  type MetricsErrorCode,
  precisionRecallFscoreSupport,
  rocAucScore,
  softmax,
  topKAccuracyScore,
} from './index';

const even = [
  [0.5, 0.5],
  [0.5, 0.5],
];

// The types rule some of these out; JavaScript and JSON do not.
const untyped = (value: unknown): never => value as never;

describe('bad input names what is wrong with it', () => {
  const cases: [string, MetricsErrorCode, RegExp, () => unknown][] = [
    ['no samples', 'EMPTY', /no true label/, () => accuracyScore([], [])],
    ['other lengths', 'LENGTH_MISMATCH', /2 true labels against 3/, () => f1Score([0, 1], [0, 1, 1])],
    ['a fraction as label', 'INVALID_LABEL', /True label 1 is 0\.5/, () => accuracyScore([0, 0.5], [0, 1])],
    ['NaN as label', 'INVALID_LABEL', /Predicted label 0 is NaN/, () => accuracyScore([0], [NaN])],
    ['null as label', 'INVALID_LABEL', /Predicted label 1 is null/, () => accuracyScore([0, 1], untyped([0, null]))],
    ['numbers against names', 'INVALID_LABEL', /numbers \(0\).*strings \("a"\)/, () => confusionMatrix([0], ['a'])],
    [
      'a list of another kind',
      'INVALID_OPTION',
      /strings, the samples numbers/,
      () => confusionMatrix([0], [0], { labels: ['0'] }),
    ],
    ['a label listed twice', 'INVALID_OPTION', /holds 3 twice/, () => confusionMatrix([3], [3], { labels: [3, 3] })],
    [
      'no true label listed',
      'UNKNOWN_LABEL',
      /None of the true labels/,
      () => confusionMatrix([0], [1], { labels: [1] }),
    ],
    ['binary of three', 'INVALID_OPTION', /3 classes: choose 'macro'/, () => f1Score([0, 1, 2], [0, 1, 2])],
    ['an absent positive class', 'UNKNOWN_LABEL', /posLabel 1 is neither 0 nor 2/, () => f1Score([0, 2], [0, 2])],
    [
      'an unknown average',
      'INVALID_OPTION',
      /average is "samples"/,
      () => f1Score([0], [0], { average: untyped('samples') }),
    ],
    [
      'zeroDivision 0.5',
      'INVALID_OPTION',
      /zeroDivision is 0\.5/,
      () => f1Score([0], [0], { average: 'macro', zeroDivision: 0.5 }),
    ],
    ['a negative beta', 'INVALID_OPTION', /beta is -1/, () => precisionRecallFscoreSupport([0], [0], { beta: -1 })],
    [
      'digits -1',
      'INVALID_OPTION',
      /digits is -1: pass an integer from 0 to 99/,
      () => classificationReport([0], [0], { digits: -1 }),
    ],
    ['a flat array of scores', 'INVALID_SCORES', /flat array/, () => argmax(untyped([1, 2]))],
    ['ragged rows', 'LENGTH_MISMATCH', /Row 1 holds 1 scores/, () => argmax([[1, 2], [1]])],
    [
      'a shape that does not fit',
      'LENGTH_MISMATCH',
      /need 6 numbers, there are 4/,
      () => argmax({ data: [1, 2, 3, 4], shape: [2, 3] }),
    ],
    ['a negative shape', 'INVALID_SCORES', /\[-1, -4\]/, () => argmax({ data: [1, 2, 3, 4], shape: [-1, -4] })],
    ['no rows', 'EMPTY', /0 rows/, () => argmax([])],
    [
      'a NaN score',
      'INVALID_SCORES',
      /row 1, column 0 is NaN/,
      () =>
        argmax([
          [1, 2],
          [NaN, 0],
        ]),
    ],
    ['null as score', 'INVALID_SCORES', /row 0, column 1 is null/, () => argmax([[1, untyped(null)]])],
    ['an infinite logit', 'INVALID_SCORES', /row 0 is Infinity/, () => softmax([[Infinity, 0]])],
    ['logits as probabilities', 'INVALID_SCORES', /row 0, column 1 is 3.*softmax/, () => logLoss([0], [[-0, 3]])],
    ['rows that miss 1', 'INVALID_SCORES', /row 0 add up to 0\.8/, () => rocAucScore([0], [[0.5, 0.3]])],
    ['a label without column', 'UNKNOWN_LABEL', /True label 1 is 2, not one of 0\.\.1/, () => logLoss([0, 2], even)],
    [
      'a label outside labels',
      'UNKNOWN_LABEL',
      /True label 1 is "c", not among/,
      () => logLoss(['a', 'c'], even, { labels: ['a', 'b'] }),
    ],
    [
      'labels for other columns',
      'LENGTH_MISMATCH',
      /names 3 classes.*has 2/,
      () => logLoss([0, 1], even, { labels: [0, 1, 2] }),
    ],
    ['rows for other samples', 'LENGTH_MISMATCH', /3 true labels against 2 rows/, () => logLoss([0, 1, 0], even)],
    [
      'k of all classes',
      'INVALID_OPTION',
      /k is 2: pass an integer from 1 to 1/,
      () => topKAccuracyScore([0, 1], even),
    ],
    ['no bins', 'INVALID_OPTION', /numBins is 0/, () => expectedCalibrationError([0, 1], even, { numBins: 0 })],
    ['a flat matrix of 3', 'LENGTH_MISMATCH', /3 counts is not square/, () => metricsFromConfusion([1, 2, 3])],
    [
      'a matrix of 2 x 3',
      'LENGTH_MISMATCH',
      /Row 0 of the matrix holds 3/,
      () =>
        metricsFromConfusion([
          [1, 2, 3],
          [1, 2, 3],
        ]),
    ],
    ['a negative count', 'INVALID_COUNTS', /row 1, column 0 is -1/, () => metricsFromConfusion([1, 0, -1, 0])],
    [
      'a share as count',
      'INVALID_COUNTS',
      /row 0, column 1 is 0\.5/,
      () =>
        metricsFromConfusion([
          [1, 0.5],
          [0, 0],
        ]),
    ],
    ['a matrix of nothing', 'EMPTY', /2 classes counts no sample/, () => metricsFromConfusion([0, 0, 0, 0])],
  ];

  it.each(cases)('%s', (_, code, message, act) => {
    let thrown: unknown;
    try {
      act();
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(MetricsError);
    expect(thrown).toMatchObject({ code, name: 'MetricsError' });
    expect((thrown as Error).message).toMatch(message);
  });
});

describe('scores', () => {
  it('argmax takes the first of equal scores, top-k ranks the last of them first', () => {
    expect([
      ...argmax([
        [1, 3, 3],
        [-Infinity, -2, -5],
      ]),
    ]).toEqual([1, 1]);
    expect(topKAccuracyScore([1], [[1, 3, 3]], { k: 1 })).toBe(0);
    expect(topKAccuracyScore([2], [[1, 3, 3]], { k: 1 })).toBe(1);
  });

  it('softmax neither overflows nor loses a masked class', () => {
    const { data } = softmax([[1000, 1000, -Infinity]]);
    expect([...data]).toEqual([0.5, 0.5, 0]);
  });

  it('columns can stand for names', () => {
    const labels = ['lost_card', 'fee'];
    expect(logLoss(['fee'], [[0.25, 0.75]], { labels })).toBeCloseTo(-Math.log(0.75), 15);
  });

  it('accepts float32 probabilities that were copied into plain arrays', () => {
    const rounded = [0.1, 0.2, 0.7].map(Math.fround);
    expect(logLoss([2], [rounded])).toBeCloseTo(-Math.log(0.7), 6);
  });
});

describe('calibrationBins', () => {
  it('puts a confidence on an edge into the bin below it', () => {
    const bins = calibrationBins(
      [0, 0, 1],
      [
        [0.6, 0.4],
        [0.8, 0.2],
        [1, 0],
      ],
      { numBins: 5 },
    );
    expect(bins.map(({ count }) => count)).toEqual([0, 0, 1, 1, 1]);
    expect(bins[4]).toEqual({ lower: 0.8, upper: 1, count: 1, confidence: 1, accuracy: 0 });
    expect(bins[0]!.accuracy).toBeNaN();
  });
});

describe('balancedAccuracyScore', () => {
  it('leaves out classes that are only predicted', () => {
    expect(balancedAccuracyScore([0, 0, 1], [0, 2, 1])).toBe(0.75);
  });
});
