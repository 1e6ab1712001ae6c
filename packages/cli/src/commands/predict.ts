import { readFileSync } from 'node:fs';
import { bytesSource, readTable } from '@qlora-js/data';
import type { Output, Prediction, TextClassifier } from '@qlora-js/finetune';
import { loadTextClassifier } from '@qlora-js/finetune/node';
import type { OptionValues } from '../options/spec';
import type { ADAPTER_OPTIONS, PredictValues } from '../options/predict-options';
import { UsageError } from '../errors';
import { hubOptions } from './train';

/** Opens a saved adapter by a command's options. */
export function openAdapter(values: OptionValues<typeof ADAPTER_OPTIONS>, output: Output): Promise<TextClassifier> {
  const { adapter, base, backend, threads } = values;
  return loadTextClassifier(adapter, { base, backend, threads, hub: hubOptions(values), output });
}

/** The texts of `predict`: arguments, a file, or standard input. @throws UsageError where there is none */
async function textsOf(
  words: readonly string[],
  { input, textColumn }: Pick<PredictValues, 'input' | 'textColumn'>,
): Promise<string[]> {
  if (words.length > 0) return [...words];
  if (textColumn !== undefined) {
    if (input === undefined) throw new UsageError('USAGE', '--text-column needs --input, the file with that column');
    const { dataset } = await readTable(bytesSource(readBytes(input), input));
    if (!dataset.columnNames.includes(textColumn))
      throw new UsageError(
        'USAGE',
        `--text-column: ${input} has no column ${JSON.stringify(textColumn)}; its columns are ${dataset.columnNames.join(', ')}`,
      );
    return dataset.column(textColumn).map((text, row) => {
      if (typeof text === 'string' && text.trim() !== '') return text;
      throw new UsageError('USAGE', `${input}, row ${row + 1}: the text is empty`);
    });
  }
  const lines = new TextDecoder()
    .decode(readBytes(input ?? 0))
    .split(/\r\n|\n/)
    .filter((line) => line.trim() !== '');
  if (lines.length === 0)
    throw new UsageError(
      'USAGE',
      'predict: there is no text; give texts as arguments, with --input or on standard input',
    );
  return lines;
}

function readBytes(file: string | number): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UsageError(
      'USAGE',
      `${file === 0 ? 'standard input' : `--input ${file}`} can't be read: ${(error as Error).message}`,
    );
  }
}

/** Labels texts and prints a line for each, or a line of JSON. */
export async function predict(words: readonly string[], values: PredictValues, output: Output): Promise<void> {
  const texts = await textsOf(words, values);
  const classifier = await openAdapter(values, output);
  try {
    const { topK, threshold } = values;
    for (const prediction of await classifier.predict(texts, { topK, threshold }))
      console.log(shown(prediction, values.json));
  } finally {
    classifier.dispose();
  }
}

function shown({ text, labels, value }: Prediction, json: boolean): string {
  if (json) return JSON.stringify({ text, ...(value === undefined ? { labels } : { value }) });
  if (value !== undefined) return `${Number(value.toPrecision(6))}\t${text}`;
  if (labels.length === 0) return `(none)\t${text}`;
  return `${labels.map(({ label, probability }) => `${label} (${(100 * probability).toFixed(1)} %)`).join(', ')}\t${text}`;
}
