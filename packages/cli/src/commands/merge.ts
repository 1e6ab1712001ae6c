import { MERGED_TYPES, type ComparedRows, type MergedClassifier, type Output } from '@qlora-js/finetune';
import { mergeAdapterFolder } from '@qlora-js/finetune/node';
import { writeFolder } from '@qlora-js/hub/node';
import { ADAPTER_OPTIONS } from '../options/predict-options';
import type { OptionTable, OptionValues } from '../options/spec';
import { DATA_OPTIONS, TERMINAL_OPTIONS } from '../options/train-options';
import { labelledRows } from './labelled-rows';
import { newFolder, OVERWRITE } from './new-folder';
import { hubOptions } from './train';

const MERGING = 'Merging:';
const { threads: _threads, ...MERGED } = ADAPTER_OPTIONS;
const { labelNames: _, task: _task, ...READING } = DATA_OPTIONS;
const { progress: _progress, ...SPEECH } = TERMINAL_OPTIONS;

/** Options of `merge`. */
export const MERGE_OPTIONS = {
  ...MERGED,
  outputDir: {
    kind: 'text',
    placeholder: 'folder',
    default: './merged',
    group: MERGING,
    basic: true,
    help: 'where the merged model goes',
  },
  dtype: {
    kind: 'choice',
    choices: MERGED_TYPES,
    default: 'float16',
    group: MERGING,
    basic: true,
    help: 'how its weights are stored',
  },
  from: {
    kind: 'choice',
    choices: ['decoded', 'original'],
    default: 'decoded',
    group: MERGING,
    help: 'what the adapter is added to: what its 4-bit base decodes to, or the weights from before quantisation',
  },
  data: {
    kind: 'text',
    placeholder: 'path|id|-',
    default: undefined,
    group: MERGING,
    basic: true,
    help: "labelled rows to see on what merging costs; the training's test rows where it left them",
  },
  rows: {
    kind: 'number',
    integer: true,
    min: 0,
    default: 256,
    group: MERGING,
    help: 'rows of them to look at, evenly spread; 0 for none',
  },
  ...OVERWRITE,
  ...READING,
  ...SPEECH,
} as const satisfies OptionTable;

/** What `merge` is told. */
export type MergeValues = OptionValues<typeof MERGE_OPTIONS>;

/** Writes base and adapter as one model that transformers loads, and says what merging costs. */
export async function merge(values: MergeValues, output: Output): Promise<void> {
  const { adapter, base, backend, outputDir, dtype, from, rows } = values;
  await newFolder(values);
  const all = rows === 0 ? undefined : await comparedRows(values);
  const { files, comparison } = await mergeAdapterFolder(adapter, {
    ...{ base, backend, dtype, from, output, hub: hubOptions(values) },
    ...(all === undefined ? {} : { compareOn: spread(all, rows) }),
  });
  await writeFolder(outputDir, files);
  for (const line of comparisonLines(comparison)) output.line(line);
  if (comparison.length === 0) output.line('no rows to see on what merging costs: name some with --data');
  output.line(`merged: ${outputDir}`);
  if (values.json) console.log(JSON.stringify({ outputDir, comparison }));
}

async function comparedRows(values: MergeValues): Promise<ComparedRows | undefined> {
  if (values.data !== undefined) {
    const { task, texts, truth } = await labelledRows({ ...values, data: values.data });
    return task === 'single_label_classification' ? { texts, labels: truth } : { texts };
  }
  // Loaded here: charts would slow the start of every other command.
  const { readResults } = await import('@qlora-js/report/node');
  const { test } = await readResults(values.adapter);
  return test?.texts === undefined ? undefined : { texts: test.texts, labels: test.truth };
}

function spread({ texts, labels }: ComparedRows, most: number): ComparedRows {
  const every = Math.max(1, texts.length / most);
  const rows = Array.from({ length: Math.min(most, texts.length) }, (_row, index) => Math.floor(index * every));
  return {
    texts: rows.map((row) => texts[row]!),
    ...(labels === undefined ? {} : { labels: rows.map((row) => labels[row]!) }),
  };
}

function comparisonLines(rows: MergedClassifier['comparison']): string[] {
  return rows.map(({ name, accuracy, logitsRmse, logitsMaxDifference, changedPredictions }) => {
    const right = accuracy === undefined ? '' : `  accuracy ${accuracy.toFixed(4)}`;
    const away = `logits away by ${logitsRmse.toExponential(2)} (root mean square), ${logitsMaxDifference.toExponential(2)} at most`;
    return `${name.padEnd(11)}${right}  ${away}, ${changedPredictions} predictions changed`;
  });
}
