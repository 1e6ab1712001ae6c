import {
  formatDataReport,
  inspectTextDataset,
  lengthSummary,
  loadTextDataset,
  memoryDataFiles,
  readTable,
  type DataFiles,
  type Dataset,
  type TextDataset,
} from '@qlora-js/data';
import type { BaseModel } from '@qlora-js/finetune';
import { openPageBase } from './open-base';
import type { DataSource, DataView, Inspection, LabelRows, TextLengths } from './protocol';

/** Rows of one label that the generated set has to validate and to test with. */
const GENERATED_ROWS = { validationPerIntent: 4, testPerIntent: 8 };

/** Reads the rows that a page's visitor has chosen. */
export async function openPageData(source: DataSource, seed: number): Promise<TextDataset> {
  if (source.kind === 'generated') return loadTextDataset(await generated(source));
  const { name, files, textColumn, labelColumn, skipBadRows } = source;
  const data = await loadTextDataset(memoryDataFiles(name, files), {
    seed,
    textColumn,
    labelColumn,
    onBadRow: skipBadRows ? 'skip' : 'error',
  });
  if (data.task !== 'single_label_classification')
    throw new Error(
      `The labels ask for ${data.task}, which the command qlora trains; this page takes one label a text.`,
    );
  return data;
}

/** The generated banking queries as files, so that they are read as everything else is. */
async function generated({ seed, trainPerIntent }: Extract<DataSource, { kind: 'generated' }>): Promise<DataFiles> {
  const { generateBankingIntents } = await import('@qlora-js/data/banking');
  const { train, validation, test } = generateBankingIntents({ seed, trainPerIntent, ...GENERATED_ROWS });
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

/** What the page shows of a data set before it is trained on. */
export async function inspectPageData({ source, base, maxLength, seed }: Inspection): Promise<DataView> {
  const data = await openPageData(source, seed);
  const dropped = source.kind === 'files';
  const report = inspectTextDataset(data);
  const counts = Object.fromEntries(report.balance.map((row) => [row.split, row.counts]));
  const labels = (data.labelMap?.names ?? []).map((label): LabelRows => {
    const rows = (split: string): number => counts[split]?.[label] ?? 0;
    return { label, train: rows('train'), validation: rows('validation'), test: rows('test') };
  });
  const { train, validation, test } = data;
  const first = train.toRows()[0]?.place.file;
  return {
    name: data.name,
    columns: { text: data.columns.text, label: data.columns.label },
    columnNames: dropped && first !== undefined ? await columnNames(source.files[first]!, first) : [],
    lengths: dropped
      ? textLengths(data, await openPageBase(base, { maxLength, paddingSide: 'right' }), maxLength)
      : undefined,
    rows: { train: train.numRows, validation: validation.numRows, test: test.numRows },
    labels,
    notes: data.notes,
    problems: formatDataReport(report).filter((line) => !/^(?:train|validation|test): [^;]*$/.test(line)),
    sample: train
      .toRows()
      .slice(0, SAMPLE)
      .map(({ text, label }) => ({ text, label: String(label) })),
  };
}

async function columnNames(blob: Blob, name: string): Promise<readonly string[]> {
  const source = await memoryDataFiles('dropped', { [name]: blob }).open(name);
  return (await readTable(source, { onBadRow: 'skip' })).dataset.columnNames;
}

/** Lengths as the base's tokenizer sees them. */
function textLengths(data: TextDataset, { tokenizer }: BaseModel, maxLength: number): TextLengths {
  let cut = 0;
  const all = (['train', 'validation', 'test'] as const).map((split) => {
    const { inputIds } = tokenizer.batch([...data[split].column('text')], { truncation: false });
    const lengths = inputIds.map((ids) => ids.length);
    cut += lengths.filter((length) => length > maxLength).length;
    return lengths;
  });
  const { median, p95, max } = lengthSummary(all[0]!);
  return { median, p95, max, cut };
}
