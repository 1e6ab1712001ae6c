import {
  inspectTextDataset,
  loadTextDataset,
  memoryDataFiles,
  type DataFiles,
  type Dataset,
  type TextDataset,
} from '@qlora-js/data';
import type { DataSource, DataView, LabelRows } from './protocol';

/** Reads the rows that a page's visitor has chosen. */
export async function openPageData(source: DataSource, seed: number): Promise<TextDataset> {
  if (source.kind === 'generated') return loadTextDataset(await generated(source));
  const { name, files, textColumn, labelColumn, skipBadRows } = source;
  return loadTextDataset(memoryDataFiles(name, files), {
    seed,
    textColumn,
    labelColumn,
    onBadRow: skipBadRows ? 'skip' : 'error',
  });
}

/** The generated banking queries as files, so that they are read as everything else is. */
async function generated({ seed, trainPerIntent }: Extract<DataSource, { kind: 'generated' }>): Promise<DataFiles> {
  const { generateBankingIntents } = await import('@qlora-js/data/banking');
  const { train, validation, test } = generateBankingIntents({
    seed,
    trainPerIntent,
    validationPerIntent: 4,
    testPerIntent: 8,
  });
  const lines = (rows: Dataset<{ text: string; label: string }>): string =>
    rows
      .toRows()
      .map(({ text, label }) => JSON.stringify({ text, label }))
      .join('\n');
  return memoryDataFiles('generated banking questions', {
    'train.jsonl': lines(train),
    'validation.jsonl': lines(validation),
    'test.jsonl': lines(test),
  });
}

/** Rows that are shown as they are. */
const SAMPLE = 5;

/** What the page shows of a data set. */
export function dataView(data: TextDataset): DataView {
  const { balance } = inspectTextDataset(data);
  const counts = Object.fromEntries(balance.map(({ split, counts }) => [split, counts]));
  const labels = (data.labelMap?.names ?? []).map((label): LabelRows => {
    const rows = (split: string): number => counts[split]?.[label] ?? 0;
    return { label, train: rows('train'), validation: rows('validation'), test: rows('test') };
  });
  const { train, validation, test } = data;
  return {
    name: data.name,
    columns: { text: data.columns.text, label: data.columns.label },
    rows: { train: train.numRows, validation: validation.numRows, test: test.numRows },
    labels,
    notes: data.notes,
    sample: train
      .toRows()
      .slice(0, SAMPLE)
      .map(({ text, label }) => ({ text, label: String(label) })),
  };
}
