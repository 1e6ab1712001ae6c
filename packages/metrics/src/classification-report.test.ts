import { describe, expect, it } from 'vitest';
import { classificationReport, classificationReportObject } from './index';

// Expected texts are scikit-learn 1.9.1's for the same labels.
const actual = [...Array<number>(8).fill(0), ...Array<number>(8).fill(1)];
const predicted = [0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1];
const sparse = [
  [0, 0, 1, 1, 2, 2],
  [0, 0, 0, 3, 3, 0],
] as const;

describe('classificationReport', () => {
  it('rounds ties to even, as Python does (recall 0.125 and 0.625, accuracy 0.375)', () => {
    expect(classificationReport(actual, predicted)).toBe(
      '              precision    recall  f1-score   support\n' +
        '\n' +
        '           0       0.25      0.12      0.17         8\n' +
        '           1       0.42      0.62      0.50         8\n' +
        '\n' +
        '    accuracy                           0.38        16\n' +
        '   macro avg       0.33      0.38      0.33        16\n' +
        'weighted avg       0.33      0.38      0.33        16\n',
    );
  });

  it.each([
    [0, '           1          0         1         0         8'],
    [1, '           1        0.4       0.6       0.5         8'],
    [3, '           1      0.417     0.625     0.500         8'],
    [14, '             1  0.41666666666667 0.62500000000000 0.50000000000000         8'],
  ])('with %d digits', (digits, line) => {
    expect(classificationReport(actual, predicted, { digits }).split('\n')[3]).toBe(line);
  });

  it('has a micro average in place of the accuracy where labels leaves classes out, and prints NaN as nan', () => {
    expect(classificationReport(...sparse, { labels: [0, 3, 7], zeroDivision: Number.NaN })).toBe(
      '              precision    recall  f1-score   support\n' +
        '\n' +
        '           0       0.50      1.00      0.67         2\n' +
        '           3       0.00       nan      0.00         0\n' +
        '           7        nan       nan       nan         0\n' +
        '\n' +
        '   micro avg       0.33      1.00      0.50         2\n' +
        '   macro avg       0.25      1.00      0.33         2\n' +
        'weighted avg       0.50      1.00      0.67         2\n',
    );
  });

  it('pads names by code points', () => {
    const lines = classificationReport(['～', '😀', 'fee'], ['～', '～', 'fee']).split('\n');
    expect(lines[2]).toBe('         fee       1.00      1.00      1.00         1');
    expect(lines[4]).toBe('           😀       0.00      0.00      0.00         1');
  });

  it('widens for long names and takes one name a class', () => {
    const targetNames = ['card_payment_not_recognised', 'no'];
    const lines = classificationReport(actual, predicted, { targetNames }).split('\n');
    expect(lines[2]).toBe('card_payment_not_recognised       0.25      0.12      0.17         8');
    expect(lines[3]).toBe('                         no       0.42      0.62      0.50         8');
    expect(() => classificationReport(actual, predicted, { targetNames: ['one'] })).toThrow(/1 names for 2 classes/);
  });
});

describe('classificationReportObject', () => {
  it("has the keys of sklearn's output_dict", () => {
    expect(classificationReportObject(actual, predicted)).toEqual({
      '0': { precision: 0.25, recall: 0.125, 'f1-score': 1 / 6, support: 8 },
      '1': { precision: 5 / 12, recall: 0.625, 'f1-score': 0.5, support: 8 },
      accuracy: 0.375,
      'macro avg': { precision: 0.33333333333333337, recall: 0.375, 'f1-score': 1 / 3, support: 16 },
      'weighted avg': { precision: 0.33333333333333337, recall: 0.375, 'f1-score': 1 / 3, support: 16 },
    });
    expect(Object.keys(classificationReportObject(...sparse, { labels: [0, 3] }))).toEqual([
      '0',
      '3',
      'micro avg',
      'macro avg',
      'weighted avg',
    ]);
  });

  it('refuses two rows of one name and keeps a class named __proto__', () => {
    expect(() => classificationReportObject(['accuracy', 'b'], ['b', 'b'])).toThrow(/two rows named "accuracy"/);
    const report = classificationReportObject(['__proto__', 'b'], ['__proto__', 'b']);
    expect(Object.getPrototypeOf(report)).toBe(Object.prototype);
    expect(Object.entries(report)[0]).toEqual(['__proto__', { precision: 1, recall: 1, 'f1-score': 1, support: 1 }]);
  });
});
