import { type Dataset } from '../dataset/dataset';
import { LabelMap, type LabelPlace, placed } from '../dataset/label-map';
import { DataError, shown } from '../errors';
import { parseCsv } from './csv';
import { parseJson, parseJsonl } from './jsonl';

/** A folder of text files, wherever it lies: on a disk, on the hub, in memory. `ModelFiles` of @qlora-js/hub is one. */
export interface TextFiles {
  has(path: string): boolean | Promise<boolean>;
  text(path: string): Promise<string>;
}

/** One labelled query: its text and the name of its label. */
export type LabelledText = { text: string; label: string };

export interface Banking77 {
  train: Dataset<LabelledText>;
  test: Dataset<LabelledText>;
  labelMap: LabelMap;
}

/**
 * Reads Banking77 (Casanueva et al. 2020, arXiv 2003.04807) or any set in its layout: `categories.json` (an array of
 * names) and `train` and `test` as .csv or .jsonl with the columns `text` and `category`, which becomes `label`.
 *
 * Ids follow the order of categories.json. Hugging Face's copy numbers the labels by the alphabet instead, so ids
 * (not names) of a model trained on that copy differ.
 *
 * @throws DataError `MISSING_FILE`; `MALFORMED_CSV`, `MALFORMED_JSON`, `UNKNOWN_LABEL`, `EMPTY_TEXT` naming file and row or line
 */
export async function loadBanking77(files: TextFiles): Promise<Banking77> {
  const labelMap = LabelMap.fromNames(categories(await required(files, 'categories.json')));
  return { train: await split(files, 'train', labelMap), test: await split(files, 'test', labelMap), labelMap };
}

async function required(files: TextFiles, path: string): Promise<string> {
  if (await files.has(path)) return files.text(path);
  throw new DataError(
    'MISSING_FILE',
    `the data folder has no ${path}; it needs categories.json and train and test as .csv or .jsonl`,
    path,
  );
}

function categories(text: string): string[] {
  const names = parseJson(text, 'categories.json');
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string')) {
    throw new DataError('MALFORMED_JSON', 'categories.json must hold an array of label names', names);
  }
  return names;
}

async function split(files: TextFiles, name: string, labelMap: LabelMap): Promise<Dataset<LabelledText>> {
  const jsonl = `${name}.jsonl`;
  const useJsonl = !(await files.has(`${name}.csv`)) && (await files.has(jsonl));
  const path = useJsonl ? jsonl : `${name}.csv`;
  const text = await required(files, path);
  const checked = (row: Record<string, unknown>, index: number): LabelledText =>
    labelled(row, { source: path, row: index }, labelMap);
  const dataset = useJsonl
    ? parseJsonl(text, { source: path }).map(checked)
    : parseCsv(text, { source: path, columns: ['text', 'category'] }).map(checked);
  if (dataset.numRows === 0) throw new DataError('INVALID_ROW', `${path} has no rows`);
  return dataset;
}

function labelled({ text, category }: Record<string, unknown>, place: LabelPlace, labelMap: LabelMap): LabelledText {
  if (typeof text !== 'string' || typeof category !== 'string') {
    throw new DataError(
      'INVALID_ROW',
      `${placed(place)}text and category must be strings, got ${shown(text)} and ${shown(category)}`,
    );
  }
  if (text.trim() === '') {
    throw new DataError(
      'EMPTY_TEXT',
      `${placed(place)}the text is empty (label ${shown(category)}); remove the row or fill it`,
      text,
    );
  }
  labelMap.id(category, place);
  return { text, label: category };
}
