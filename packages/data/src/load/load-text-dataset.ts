import { Dataset } from '../dataset/dataset';
import type { LabelMap } from '../dataset/label-map';
import { trainTestSplit } from '../dataset/train-test-split';
import { DataError, shown } from '../errors';
import type { ByteSource } from '../files/byte-source';
import { singleFile, type DataFiles } from '../files/data-files';
import { textOf } from '../files/plain';
import { parseJson } from '../read/parse-json';
import { readTable, type TableOptions } from '../read/read-table';
import type { SkippedRow, Table } from '../read/table';
import { classNamesOfCard } from './card';
import { findColumns, type ChosenColumns, type ColumnOptions } from './columns';
import { labelledRows, labelScheme, type LabelOptions, type Task, type TextRow } from './labels';
import { rawRows, type RawRow } from './rows';
import { filesBySplit, type SplitName } from './splits';

/** A set of files, or one file. */
export type DataInput = DataFiles | ByteSource;

/** How a data set is found in its files. */
export interface TextDatasetOptions extends TableOptions, ColumnOptions, LabelOptions {
  /** Rows to test with; default: those the set itself holds for it, else `testShare` of the training rows. */
  readonly testData?: DataInput;
  /**
   * Rows to validate with: a set, or how many of the training rows (a share below 1, or a count; 0 for none). Default: the
   * set's own, else 0.1.
   */
  readonly validation?: DataInput | number;
  /** Share or count of the training rows to test with, where the set has no rows for it; 0 for none. Default 0.1. */
  readonly testShare?: number;
  /** Hold out the same share of every label. Default false. */
  readonly stratify?: boolean;
  /** Seed of what is held out. Default 0. */
  readonly seed?: number;
  /** Stands between the two texts of a pair. Default a line break. */
  readonly pairSeparator?: string;
}

/** A data set to fine-tune a text model with. */
export interface TextDataset {
  /** What reports call it. */
  readonly name: string;
  /** What is learned. */
  readonly task: Task;
  /** The columns that texts and labels came from. */
  readonly columns: ChosenColumns;
  /** Labels and their ids; undefined under regression. */
  readonly labelMap: LabelMap | undefined;
  /** Rows to train with. */
  readonly train: Dataset<TextRow>;
  /** Rows to choose the best weights and parameters by. */
  readonly validation: Dataset<TextRow>;
  /** Rows to measure with at the end. */
  readonly test: Dataset<TextRow>;
  /** Rows that were left out, in the order of the files. */
  readonly skipped: readonly SkippedRow[];
  /** What was decided without the caller, in words. */
  readonly notes: readonly string[];
}

/** Order of the labels beside the data, as Banking77 (Casanueva et al. 2020, arXiv 2003.04807) has it. */
const CATEGORIES = 'categories.json';
const CARD = 'README.md';

/**
 * Reads a text data set: finds the files of each split by their names, the columns by theirs, the labels by their values
 * or by the names that the files or the set's card give them; whatever was not asked for is said in `notes`.
 *
 * @throws DataError naming file, line and cause of what can't be used, before anything is computed
 */
export async function loadTextDataset(input: DataInput, options: TextDatasetOptions = {}): Promise<TextDataset> {
  const { onBadRow = 'error', pairSeparator = '\n', validation, testData } = options;
  const notes: string[] = [];
  const skipped: SkippedRow[] = [];
  const files = asFiles(input);
  const paths = await files.list();
  const found = filesBySplit(paths);
  if (found.files.train.length === 0) {
    throw new DataError(
      'MISSING_FILE',
      `${files.id} has no data file to train with; it has ${paths.slice(0, 10).join(', ') || 'no files'}`,
    );
  }
  if (found.unused.length > 0) notes.push(`files that belong to no split are not read: ${found.unused.join(', ')}`);

  const train = await tablesOf(files, found.files.train, options);
  const chosen = findColumns(train[0]!.table.dataset, namedColumns(options), train[0]!.file);
  notes.push(...chosen.reasons);
  const rowsOf = (tables: readonly NamedTable[]): RawRow[] =>
    tables.flatMap((named) => {
      for (const name of [chosen.text, chosen.textPair, chosen.label]) {
        if (name !== undefined) checkColumn(named, name);
      }
      const { rows, skipped: left } = rawRows(named, chosen, { onBadRow, pairSeparator });
      skipped.push(...named.table.skipped, ...left);
      return rows;
    });
  const rawTrain = rowsOf(train);
  const own = async (split: SplitName, other: DataInput | undefined): Promise<RawRow[] | undefined> => {
    const set = other === undefined ? files : asFiles(other);
    const wanted = other === undefined ? found.files[split] : await wholeSet(set);
    if (wanted.length === 0) return undefined;
    const rows = rowsOf(await tablesOf(set, wanted, options));
    if (rows.every(({ value }) => value === -1 || value === '-1')) {
      notes.push(`the rows in ${wanted.join(', ')} carry no labels (-1) and are left out`);
      return undefined;
    }
    return rows;
  };
  const rawValidation = await own('validation', typeof validation === 'number' ? undefined : validation);
  const rawTest = await own('test', testData);

  const scheme = labelScheme(
    rawTrain.map(({ value }) => value),
    { ...options, labelNames: options.labelNames ?? (await knownNames(files, paths, { train, column: chosen.label })) },
  );
  const labelled = (rows: readonly RawRow[]): Dataset<TextRow> => {
    const { rows: good, skipped: left } = labelledRows(rows, scheme, onBadRow);
    skipped.push(...left);
    return Dataset.fromRows(good, ['text', 'label', 'place']);
  };
  const splits = holdOut(
    {
      train: labelled(rawTrain),
      validation: rawValidation === undefined || typeof validation === 'number' ? undefined : labelled(rawValidation),
      test: rawTest === undefined ? undefined : labelled(rawTest),
    },
    { ...options, notes },
  );
  return { name: files.id, task: scheme.task, columns: chosen, labelMap: scheme.labelMap, ...splits, skipped, notes };
}

interface NamedTable {
  readonly file: string;
  readonly table: Table;
}

function asFiles(input: DataInput): DataFiles {
  return 'list' in input ? input : singleFile(input);
}

/** A set given for one split alone: its files of that split where it names splits, else all. */
async function wholeSet(files: DataFiles): Promise<readonly string[]> {
  const { train, validation, test } = filesBySplit(await files.list()).files;
  const [paths] = [test, validation, train].filter((list) => list.length > 0);
  if (paths === undefined) throw new DataError('MISSING_FILE', `${files.id} has no data file`);
  return paths;
}

function namedColumns({ textColumn, textPairColumn, labelColumn }: ColumnOptions): ColumnOptions {
  return { textColumn, textPairColumn, labelColumn };
}

async function tablesOf(files: DataFiles, paths: readonly string[], options: TableOptions): Promise<NamedTable[]> {
  const tables: NamedTable[] = [];
  for (const file of paths) tables.push({ file, table: await readTable(await files.open(file), options) });
  return tables;
}

function checkColumn({ file, table }: NamedTable, name: string): void {
  if (table.dataset.columnNames.includes(name)) return;
  throw new DataError(
    'UNKNOWN_COLUMN',
    `${file} has no column ${shown(name)}, which the training rows have; its columns are ${table.dataset.columnNames.join(', ')}`,
    name,
  );
}

/** The labels' names in the order that the set itself says. */
async function knownNames(
  files: DataFiles,
  paths: readonly string[],
  { train, column }: { readonly train: readonly NamedTable[]; readonly column: string },
): Promise<readonly string[] | undefined> {
  if (paths.includes(CATEGORIES)) {
    const names = parseJson(await textOf(await files.open(CATEGORIES)), CATEGORIES);
    if (Array.isArray(names) && names.every((name) => typeof name === 'string')) return names;
    throw new DataError('MALFORMED_JSON', `${CATEGORIES} must hold an array of label names`, names);
  }
  const inFile = train[0]?.table.classNames.get(column);
  if (inFile !== undefined || !paths.includes(CARD)) return inFile;
  return (await classNamesOfCard(await textOf(await files.open(CARD)))).get(column);
}

type Splits = Pick<TextDataset, SplitName>;

/** Holds rows out of the training rows for the splits that are missing. */
function holdOut(
  { train, validation, test }: Pick<Splits, 'train'> & Partial<Splits>,
  { seed = 0, stratify = false, testShare = 0.1, validation: share, notes }: TextDatasetOptions & { notes: string[] },
): Splits {
  const isEmpty = Object.entries({ train, validation, test }).find(([, split]) => split?.numRows === 0);
  if (isEmpty !== undefined) throw new DataError('INVALID_ROW', `there are no rows for ${isEmpty[0]}`);
  const split = (rows: Dataset<TextRow>, testSize: number): { train: Dataset<TextRow>; test: Dataset<TextRow> } =>
    testSize === 0
      ? { train: rows, test: rows.select([]) }
      : trainTestSplit(rows, { testSize, seed, ...(stratify ? { stratifyBy: 'label' } : {}) });
  let rest = train;
  let held = test;
  if (held === undefined) {
    ({ train: rest, test: held } = split(rest, testShare));
    if (testShare > 0) notes.push(`${held.numRows} of the training rows are held out to test with`);
  }
  if (validation !== undefined) return { train: rest, validation, test: held };
  const { train: left, test: chosen } = split(rest, typeof share === 'number' ? share : 0.1);
  if (chosen.numRows > 0) notes.push(`${chosen.numRows} of the training rows are held out to validate with`);
  return { train: left, validation: chosen, test: held };
}
