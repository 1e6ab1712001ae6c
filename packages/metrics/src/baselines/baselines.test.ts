import { describe, expect, it } from 'vitest';
import { bagOfWordsLogisticRegression, majorityClassBaseline, MetricsError } from '../index';
import { BagOfWords } from './bag-of-words';
import { minimize } from './lbfgs';
import { fitLogisticRegression } from './logistic-regression';
import { takeRows } from './sparse-rows';

const words = ['card', 'lost', 'fee', 'cash', 'rate', 'pin', 'top_up', 'Über', 'naïve', 'a', '9x', 'help'];
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
/** A text from integer arithmetic, so that Python makes the same one. */
const text = (i: number, l: number): string =>
  range(0, 1 + ((i * 5 + l) % 6))
    .map((j) => words[(i * i * 3 + j * 7 + l * j + l * 2) % 12])
    .join(' ') + (i % 2 ? '!' : ' ?');
const intent = (i: number): number => (i * 7 + Math.floor(i / 5)) % 4;
const trainTexts = range(0, 60).map((i) => text(i, intent(i)));
const trainLabels = range(0, 60).map((i) => (intent(i) + (i % 3 === 0 ? 1 : 0)) % 4);
const testTexts = range(100, 140).map((i) => text(i, (i * 3 + Math.floor(i / 4)) % 4));
const testLabels = range(100, 140).map((i) => (((i * 3) % 4) + (i % 4 === 1 ? 1 : 0)) % 4);
const problem = { trainTexts, trainLabels, testTexts, testLabels, numClasses: 4 };

describe('bagOfWordsLogisticRegression', () => {
  // From CountVectorizer and LogisticRegression(C=2, tol=1e-10, max_iter=10000) of scikit-learn 1.9.1.
  const single = [
    1, 0, 0, 2, 2, 2, 0, 3, 0, 2, 1, 1, 0, 3, 2, 1, 1, 1, 3, 2, 2, 1, 0, 1, 3, 2, 1, 0, 0, 1, 2, 1, 1, 0, 3, 3, 2, 1, 1,
    3,
  ];
  const pairs = [
    1, 0, 0, 2, 2, 2, 0, 3, 0, 2, 1, 1, 0, 3, 2, 1, 1, 1, 3, 2, 2, 1, 0, 0, 3, 2, 2, 0, 0, 0, 2, 1, 2, 0, 3, 2, 2, 1, 1,
    3,
  ];

  it.each([
    { ngramRange: [1, 1] as const, numFeatures: 10, accuracy: 0.275, expected: single },
    { ngramRange: [1, 2] as const, numFeatures: 33, accuracy: 0.3, expected: pairs },
  ])(
    "predicts what scikit-learn's pipeline predicts, n-grams $ngramRange",
    ({ ngramRange, numFeatures, accuracy, expected }) => {
      const result = bagOfWordsLogisticRegression({ ...problem, ngramRange, C: 2, tolerance: 1e-9 });
      expect([...result.predictions]).toEqual(expected);
      expect(result).toMatchObject({ numFeatures, accuracy, C: 2, converged: true, validationAccuracy: [] });
    },
  );

  it.each([
    {
      ngramRange: [1, 1] as const,
      value: 0.670438836688017,
      weights: [0.7397529113781031, -2.039875829367727, 0.12472017419112881, 1.1754027437984969],
    },
    {
      ngramRange: [1, 2] as const,
      value: 0.45851581015269427,
      weights: [0.24004328766337013, -1.209968983686398, 0.002549911383079719, 0.9673757846399484],
    },
  ])("has scikit-learn's minimum and weights, n-grams $ngramRange", ({ ngramRange, value, weights }) => {
    const bag = new BagOfWords(trainTexts, { ngramRange });
    const options = { C: 2, tolerance: 1e-9, maxIterations: 1000 };
    const model = fitLogisticRegression(bag.count(trainTexts), Int32Array.from(trainLabels), 4, options);
    expect(model.fit.value).toBeCloseTo(value, 12);
    const feature = bag.count(['über']).column[0]!;
    [...model.weights.subarray(feature * 4, feature * 4 + 4)].forEach((weight, c) =>
      expect(weight).toBeCloseTo(weights[c]!, 6),
    );
  });

  it('chooses C on a held-out fifth and fits it on everything', () => {
    const candidates = [10, 0.001, 1];
    const result = bagOfWordsLogisticRegression({ ...problem, C: candidates });
    expect(result.validationAccuracy.map(({ C }) => C)).toEqual([0.001, 1, 10]);
    const best = Math.max(...result.validationAccuracy.map(({ accuracy }) => accuracy));
    expect(result.C).toBe(result.validationAccuracy.find(({ accuracy }) => accuracy === best)!.C);
    const alone = bagOfWordsLogisticRegression({ ...problem, C: result.C });
    expect(result.predictions).toEqual(alone.predictions);
  });

  it('copes with classes that have no training text and with texts of unknown words', () => {
    const result = bagOfWordsLogisticRegression({
      trainTexts: ['lost card', 'my fee', 'lost lost', 'fee fee'],
      trainLabels: [2, 5, 2, 5],
      testTexts: ['lost', 'fee', 'nothing known'],
      testLabels: [2, 5, 9],
      numClasses: 10,
    });
    expect([...result.predictions.subarray(0, 2)]).toEqual([2, 5]);
    expect([2, 5]).toContain(result.predictions[2]);
    expect(result.accuracy).toBeCloseTo(2 / 3, 15);
  });

  it('says so where the iterations did not suffice', () => {
    expect(bagOfWordsLogisticRegression({ ...problem, maxIterations: 2 })).toMatchObject({
      iterations: 2,
      converged: false,
    });
  });

  it.each([
    [{ trainLabels: trainLabels.map(() => 1) }, 'INVALID_LABEL', /All training labels are 1/],
    [
      { trainLabels: [4, ...trainLabels.slice(1)] },
      'INVALID_LABEL',
      /Label 0 of the training texts is 4: classes go from 0 to 3/,
    ],
    [{ testLabels: [0] }, 'LENGTH_MISMATCH', /40 test texts against 1 labels/],
    [{ trainTexts: trainTexts.map(() => '?') }, 'EMPTY', /No word of two or more letters/],
    [{ testTexts: [], testLabels: [] }, 'EMPTY', /no test text/],
    [{ C: 0 }, 'INVALID_OPTION', /C is 0/],
    [{ C: [] }, 'INVALID_OPTION', /C is an array of 0/],
    [{ ngramRange: [2, 1] as const }, 'INVALID_OPTION', /ngramRange\[1\] is 1: pass an integer of at least 2/],
    [{ trainTexts: [null as never, ...trainTexts.slice(1)] }, 'INVALID_OPTION', /Text 0 is null/],
    [{ tolerance: 0 }, 'INVALID_OPTION', /tolerance is 0/],
  ])('refuses bad input %#', (change, code, message) => {
    const act = () => bagOfWordsLogisticRegression({ ...problem, ...change });
    expect(act).toThrow(MetricsError);
    expect(act).toThrow(message);
    expect(act).toThrow(expect.objectContaining({ code }));
  });
});

describe('BagOfWords', () => {
  it("splits as scikit-learn's CountVectorizer does", () => {
    const texts = ["It's a card, N°5 — naïve_x ÄÖ 日本語 ٣٤ ½½ I"];
    const bag = new BagOfWords(texts);
    // ['it', 'card', 'naïve_x', 'äö', '日本語', '٣٤', '½½']
    expect(bag.size).toBe(7);
    expect(bag.count(['naïve_x NAÏVE_X naïve']).value).toEqual(Float64Array.of(2));
  });

  it('keeps features by the number of texts that have them, not by how often', () => {
    expect(new BagOfWords(['aa aa aa', 'bb', 'bb cc'], { minDocumentFrequency: 2 }).size).toBe(1);
  });

  it('takes rows out of a matrix', () => {
    const rows = new BagOfWords(['aa bb', 'bb cc cc', 'dd']).count(['aa bb', '', 'bb cc cc', 'dd']);
    const taken = takeRows(rows, [2, 1]);
    expect({ ...taken }).toEqual({
      rows: 2,
      columns: 4,
      start: Int32Array.of(0, 2, 2),
      column: Int32Array.of(1, 2),
      value: Float64Array.of(1, 2),
    });
  });
});

describe('minimize', () => {
  it("finds the minimum of Rosenbrock's valley", () => {
    const point = Float64Array.of(-1.2, 1);
    const result = minimize(
      ([x, y], gradient) => {
        gradient[0] = -400 * x! * (y! - x! * x!) - 2 * (1 - x!);
        gradient[1] = 200 * (y! - x! * x!);
        return 100 * (y! - x! * x!) ** 2 + (1 - x!) ** 2;
      },
      point,
      { tolerance: 1e-9, maxIterations: 200 },
    );
    expect(result.converged).toBe(true);
    expect(point[0]).toBeCloseTo(1, 8);
    expect(point[1]).toBeCloseTo(1, 8);
  });

  it('steps back where the objective is not a number, and stops where no step goes down', () => {
    const logarithm = Float64Array.of(5);
    const barrier = minimize(([x], g) => ((g[0] = 1 - 1 / x!), x! - Math.log(x!)), logarithm, {
      tolerance: 1e-10,
      maxIterations: 100,
    });
    expect(barrier.converged).toBe(true);
    expect(logarithm[0]).toBeCloseTo(1, 9);
    const kink = Float64Array.of(3);
    const stuck = minimize(([x], g) => ((g[0] = x! < 3 ? -1 : 1), Math.abs(x! - 3)), kink, {
      tolerance: 1e-3,
      maxIterations: 100,
    });
    expect(stuck.converged).toBe(false);
    expect(kink[0]).toBe(3);
  });
});

describe('majorityClassBaseline', () => {
  it('predicts the most frequent training label', () => {
    expect(majorityClassBaseline([1, 2, 2, 0], [2, 2, 1, 0])).toEqual({
      label: 2,
      trainShare: 0.5,
      accuracy: 0.5,
      // (0 + 0 + 2/3) / 3
      macroF1: 2 / 9,
    });
  });

  it('takes the smallest of equally frequent ones, as DummyClassifier does, and names', () => {
    expect(majorityClassBaseline([3, 1, 3, 1, 0], [1]).label).toBe(1);
    expect(majorityClassBaseline(['fee', 'card', 'card', 'fee'], ['card', 'fee'])).toMatchObject({
      label: 'card',
      accuracy: 0.5,
    });
  });
});
