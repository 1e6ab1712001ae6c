import { Dataset } from '../dataset/dataset';
import type { LanguageModelText } from '../dataset/prepare-language-model';
import { DataError, shown } from '../errors';
import type { TableOptions } from '../read/read-table';
import { badRowHandler, type SkippedRow } from '../read/table';
import { byName, textColumn } from './columns';
import { holdOut, type HeldOut } from './hold-out';
import { placeOf, type RowPlace } from './rows';
import type { SplitName } from './splits';
import { asFiles, checkColumn, splitTables, tablesOf, wholeSet, type DataInput, type NamedTable } from './tables';

/** Where a language model's texts lie: whole ones in one column, or prompts and what is to be said to them in two. */
export type LanguageModelColumns = { readonly text: string } | { readonly prompt: string; readonly completion: string };

/** How texts are found in their files. */
export interface LanguageModelDatasetOptions extends TableOptions, Omit<HeldOut, 'stratify'> {
  /** Column of whole texts. */
  readonly textColumn?: string;
  /** Column of prompts, which are not learnt. */
  readonly promptColumn?: string;
  /** Column of what is to be said to them. */
  readonly completionColumn?: string;
}

/** Texts to train a language model on. */
export interface LanguageModelDataset {
  /** Texts to learn. */
  readonly train: Dataset<LanguageModelText>;
  /** Texts to choose the best weights by. */
  readonly validation: Dataset<LanguageModelText>;
  /** Texts that nothing is chosen by. */
  readonly test: Dataset<LanguageModelText>;
  /** What reports call it. */
  readonly name: string;
  /** The columns that the texts came from. */
  readonly columns: LanguageModelColumns;
  /** Files and numbers of the rows of each split. */
  readonly places: Readonly<Record<SplitName, readonly RowPlace[]>>;
  /** Rows that were left out. */
  readonly skipped: readonly SkippedRow[];
  /** What was decided without the caller, in words. */
  readonly notes: readonly string[];
}

/** Names that prompts and completions go by; those of Stanford's Alpaca have a third column, which is not read. */
const PAIRS: readonly (readonly [prompt: string, completion: string])[] = [
  ['prompt', 'completion'],
  ['prompt', 'response'],
  ['prompt', 'output'],
  ['instruction', 'response'],
  ['instruction', 'output'],
  ['question', 'answer'],
  ['input', 'output'],
];

/**
 * Reads texts for a language model: finds the files of each split by their names and the columns by theirs; whatever was not asked for
 * is said in `notes`.
 *
 * @throws DataError naming file, line and cause of what can't be used, before anything is computed
 */
export async function loadLanguageModelDataset(
  input: DataInput,
  options: LanguageModelDatasetOptions = {},
): Promise<LanguageModelDataset> {
  const { onBadRow = 'error', validation, testData } = options;
  const notes: string[] = [];
  const skipped: SkippedRow[] = [];
  const files = asFiles(input);
  const found = await splitTables(files, notes);
  const train = await tablesOf(files, found.train, options);
  const columns = columnsOf(train[0]!, options, notes);
  const rowsOf = (tables: readonly NamedTable[]): Dataset<PlacedText> => {
    const { refuse, skipped: left } = badRowHandler(onBadRow);
    const rows = tables.flatMap((named) => {
      for (const name of Object.values(columns)) checkColumn(named, name);
      skipped.push(...named.table.skipped);
      return textsOf(named, columns, refuse);
    });
    skipped.push(...left);
    return Dataset.fromRows(rows, [...Object.keys(columns), 'place'] as never);
  };
  const own = async (split: SplitName, other: DataInput | undefined): Promise<Dataset<PlacedText> | undefined> => {
    const set = other === undefined ? files : asFiles(other);
    const wanted = other === undefined ? found[split] : await wholeSet(set);
    return wanted.length === 0 ? undefined : rowsOf(await tablesOf(set, wanted, options));
  };
  const counted = typeof validation === 'number';
  const splits = holdOut<PlacedText>(
    {
      train: rowsOf(train),
      validation: counted ? undefined : await own('validation', validation),
      test: await own('test', testData),
    },
    { ...options, notes },
  );
  const places = (split: SplitName): readonly RowPlace[] => splits[split].column('place');
  return {
    ...{ name: files.id, columns, ...splits, skipped, notes },
    places: { train: places('train'), validation: places('validation'), test: places('test') },
  };
}

type PlacedText = LanguageModelText & { readonly place: RowPlace };

function columnsOf(
  { file, table: { dataset } }: NamedTable,
  { textColumn: text, promptColumn: prompt, completionColumn: completion }: LanguageModelDatasetOptions,
  notes: string[],
): LanguageModelColumns {
  const names = dataset.columnNames;
  for (const [option, name] of Object.entries({
    textColumn: text,
    promptColumn: prompt,
    completionColumn: completion,
  })) {
    if (name === undefined || names.includes(name)) continue;
    throw new DataError(
      'UNKNOWN_COLUMN',
      `${file}: ${option} is ${shown(name)}, but the columns are ${names.map((own) => shown(own)).join(', ')}`,
      name,
    );
  }
  if ((prompt === undefined) !== (completion === undefined) || (prompt !== undefined && text !== undefined)) {
    throw new DataError(
      'INVALID_OPTION',
      'name textColumn alone for whole texts, or promptColumn and completionColumn together',
      text ?? prompt ?? completion,
    );
  }
  if (text !== undefined) return { text };
  if (prompt !== undefined) return { prompt, completion: completion! };
  const pair = PAIRS.map((own) => own.map((name) => byName(names, [name]))).find((own) => !own.includes(undefined));
  if (pair !== undefined) {
    notes.push(`prompts from column ${shown(pair[0])}, completions from column ${shown(pair[1])}`);
    return { prompt: pair[0]!, completion: pair[1]! };
  }
  const whole = textColumn(dataset, names, file);
  notes.push(`texts from column ${shown(whole)}`);
  return { text: whole };
}

function textsOf(
  { file, table: { dataset, numbers, numbering } }: NamedTable,
  columns: LanguageModelColumns,
  refuse: ReturnType<typeof badRowHandler>['refuse'],
): PlacedText[] {
  const rows: PlacedText[] = [];
  const parts = Object.entries(columns).map(([part, name]) => ({ part, name, values: dataset.column(name) }));
  const isBad = (part: string, value: unknown): boolean =>
    typeof value !== 'string' || (part !== 'prompt' && value.trim() === '');
  for (let row = 0; row < dataset.numRows; row++) {
    const place: RowPlace = { file, number: numbers[row]!, numbering };
    const bad = parts.find(({ part, values }) => isBad(part, values[row]));
    if (bad !== undefined) {
      const at = placeOf(place);
      const value = bad.values[row];
      const fault = typeof value === 'string' ? 'the text is empty' : `a text is needed, got ${shown(value)}`;
      refuse(at, new DataError('EMPTY_TEXT', `${at}: ${fault} (column ${shown(bad.name)})`, value));
      continue;
    }
    rows.push({ ...Object.fromEntries(parts.map(({ part, values }) => [part, values[row]])), place } as PlacedText);
  }
  return rows;
}
