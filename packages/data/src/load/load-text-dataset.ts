import { Dataset } from '../dataset/dataset';
import type { LabelMap } from '../dataset/label-map';
import { DataError } from '../errors';
import type { DataFiles } from '../files/data-files';
import { textOf } from '../files/plain';
import { parseJson } from '../read/parse-json';
import type { TableOptions } from '../read/read-table';
import type { SkippedRow } from '../read/table';
import { classNamesOfCard } from './card';
import { findColumns, type ChosenColumns, type ColumnOptions } from './columns';
import { holdOut, type HeldOut } from './hold-out';
import { labelledRows, labelScheme, type LabelOptions, type Task, type TextRow } from './labels';
import { rawRows, type RawRow } from './rows';
import type { SplitName } from './splits';
import { asFiles, checkColumn, splitTables, tablesOf, wholeSet, type DataInput, type NamedTable } from './tables';

/** How a data set is found in its files. */
export interface TextDatasetOptions extends TableOptions, ColumnOptions, LabelOptions, HeldOut {
  /** Rows to test with; default: those the set itself holds for it, else `testShare` of the training rows. */
  readonly testData?: DataInput;
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
  const found = await splitTables(files, notes);

  const train = await tablesOf(files, found.train, options);
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
    const wanted = other === undefined ? found[split] : await wholeSet(set);
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

function namedColumns({ textColumn, textPairColumn, labelColumn }: ColumnOptions): ColumnOptions {
  return { textColumn, textPairColumn, labelColumn };
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
