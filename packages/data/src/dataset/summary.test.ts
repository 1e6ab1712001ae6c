import { describe, expect, it } from 'vitest';
import { Dataset } from './dataset';
import { LabelMap } from './label-map';
import { datasetSummary, formatDatasetSummary, lengthSummary } from './summary';

const labelMap = LabelMap.fromNames(['a', 'b', 'c']);
const train = Dataset.fromRows(
  [0, 0, 2, 0].map((label, row) => ({ input_ids: Array.from({ length: row + 1 }, () => 1), label })),
);

describe('datasetSummary', () => {
  it("takes percentiles as numpy's default does", () => {
    const { mean, median, p95, p99, max, total } = lengthSummary([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5]);
    expect([mean, median, p95, max, total]).toEqual([4, 4, 7.5, 9, 44]);
    expect(p99).toBeCloseTo(8.7, 12);
  });

  it('looks at columns, sizes, labels and token lengths of each split', () => {
    const [summary] = datasetSummary({ train, validation: undefined }, { labelMap, samples: 3 });
    expect(summary).toEqual({
      name: 'train',
      columns: ['input_ids', 'label'],
      rows: 4,
      sampleLabels: ['a', 'a', 'c'],
      classes: { count: 2, min: 1, max: 3 },
      tokens: { mean: 2.5, median: 2.5, p95: 3.85, p99: 3.97, max: 4, total: 10 },
    });
  });

  it('counts each of several labels a row, and gives numbers their range', () => {
    const several = Dataset.fromRows([{ label: [1, 0, 1] }, { label: [0, 0, 1] }, { label: [0, 0, 0] }]);
    const [tags] = datasetSummary({ several }, { labelMap });
    expect([tags?.classes, tags?.sampleLabels]).toEqual([{ count: 2, min: 1, max: 2 }, ['a + c', 'c', 'none']]);
    const untagged = Dataset.fromRows([{ label: [0, 0, 0] }]);
    expect(datasetSummary({ untagged }, { labelMap })[0]).not.toHaveProperty('classes');
    const scores = Dataset.fromRows([{ label: 10.5 }, { label: -2 }, { label: 3 }]);
    const summary = datasetSummary({ scores }, { task: 'regression' });
    expect([summary[0]?.classes, summary[0]?.numbers]).toEqual([undefined, { min: -2, max: 10.5 }]);
    expect(formatDatasetSummary(summary)).toContain('  numbers from -2 to 10.5; first rows: 10.5, -2, 3');
  });

  it('has nothing to say about tokens or labels that are not there', () => {
    const [raw, empty] = datasetSummary({ raw: Dataset.fromRows([{ text: 'x' }]), empty: train.select([]) });
    expect([raw?.tokens, raw?.classes, raw?.sampleLabels]).toEqual([undefined, undefined, []]);
    expect([empty?.rows, empty?.tokens]).toEqual([0, undefined]);
  });

  it('reads as text', () => {
    const text = formatDatasetSummary(datasetSummary({ train, raw: Dataset.fromRows([{ text: 'x' }]) }, { labelMap }));
    expect(text.split('\n')).toEqual([
      'train: 4 rows, columns input_ids, label',
      '  2 labels, 1 to 3 rows each; first rows: a, a, c, a',
      '  tokens a text: mean 2.5, median 2.5, p95 3.9, p99 4, max 4; 10 in all',
      'raw: 1 rows, columns text',
    ]);
  });
});
