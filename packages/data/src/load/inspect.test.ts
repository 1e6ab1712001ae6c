import { expect, it } from 'vitest';
import { memoryDataFiles } from '../files/data-files';
import { formatDataReport, inspectTextDataset } from './inspect';
import { loadTextDataset } from './load-text-dataset';

it('reports balance, texts in two splits, contradictions and rows left out, with their places', async () => {
  const rare = Array.from({ length: 22 }, (_, i) => `common ${i},common`).join('\n');
  const dataset = await loadTextDataset(
    memoryDataFiles('set', {
      'train.csv': `text,label\n${rare}\nodd,rare\nodd,common\nA  text,rare\n,rare\n`,
      'test.csv': 'text,label\na text,rare\n',
    }),
    { validation: 0, onBadRow: 'skip' },
  );
  const report = inspectTextDataset(dataset);
  expect(report.balance[0]!.counts).toEqual({ common: 23, rare: 2 });
  expect(report.acrossSplits).toMatchObject([{ firstSplit: 'train', secondSplit: 'test', sameLabel: true }]);
  expect(formatDataReport(report)).toEqual([
    'train: 2 to 23 rows a label; rare is rare, accuracy alone will not show how it fares',
    'test: 0 to 1 rows a label',
    '1 text in two splits: test.csv, line 2 repeats train.csv, line 26',
    '1 text under two labels: train.csv, line 25 repeats train.csv, line 24',
    '1 row left out: train.csv, line 27: the text is empty (column "text"); remove the row or fill it',
  ]);
});

it('names labels without a training row', async () => {
  const files = memoryDataFiles('set', { 'train.csv': 'text,label\na,x\nb,y\n' });
  const dataset = await loadTextDataset(files, { validation: 0, testShare: 0, labelNames: ['x', 'y', 'z'] });
  expect(inspectTextDataset(dataset).untrained).toEqual(['z']);
});
