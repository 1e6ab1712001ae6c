import { DataError, shown } from '../errors';
import type { ByteSource } from '../files/byte-source';
import { singleFile, type DataFiles } from '../files/data-files';
import { readTable, type TableOptions } from '../read/read-table';
import type { Table } from '../read/table';
import { filesBySplit, type FoundFiles } from './splits';

/** A set of files, or one file. */
export type DataInput = DataFiles | ByteSource;

/** A file's rows. */
export interface NamedTable {
  readonly file: string;
  readonly table: Table;
}

export function asFiles(input: DataInput): DataFiles {
  return 'list' in input ? input : singleFile(input);
}

/** The files of each split; those that belong to none are noted. @throws DataError MISSING_FILE where none is to train with */
export async function splitTables(files: DataFiles, notes: string[]): Promise<FoundFiles['files']> {
  const paths = await files.list();
  const found = filesBySplit(paths);
  if (found.files.train.length === 0) {
    throw new DataError(
      'MISSING_FILE',
      `${files.id} has no data file to train with; it has ${paths.slice(0, 10).join(', ') || 'no files'}`,
    );
  }
  if (found.unused.length > 0) notes.push(`files that belong to no split are not read: ${found.unused.join(', ')}`);
  return found.files;
}

/** A set given for one split alone: its files of that split where it names splits, else all. */
export async function wholeSet(files: DataFiles): Promise<readonly string[]> {
  const { train, validation, test } = filesBySplit(await files.list()).files;
  const [paths] = [test, validation, train].filter((list) => list.length > 0);
  if (paths === undefined) throw new DataError('MISSING_FILE', `${files.id} has no data file`);
  return paths;
}

export async function tablesOf(
  files: DataFiles,
  paths: readonly string[],
  options: TableOptions,
): Promise<NamedTable[]> {
  const tables: NamedTable[] = [];
  for (const file of paths) tables.push({ file, table: await readTable(await files.open(file), options) });
  return tables;
}

export function checkColumn({ file, table }: NamedTable, name: string): void {
  if (table.dataset.columnNames.includes(name)) return;
  throw new DataError(
    'UNKNOWN_COLUMN',
    `${file} has no column ${shown(name)}, which the training rows have; its columns are ${table.dataset.columnNames.join(', ')}`,
    name,
  );
}
