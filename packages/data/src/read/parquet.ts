import type { AsyncBuffer, Compressors, FileMetaData } from 'hyparquet';
import { Dataset } from '../dataset/dataset';
import { DataError } from '../errors';
import type { ByteSource } from '../files/byte-source';
import { DEFAULT_LIMITS, MAX_COLUMNS, tooLarge, type DataLimits } from '../files/limits';
import type { Table } from './table';

/** Columns with the names of their classes, as Hugging Face's `datasets` writes them into a Parquet file. */
const FEATURES_KEY = 'huggingface';

/**
 * Reads a Parquet file, packed by any codec that Parquet names but LZO. Columns of single values and of lists are read,
 * structures of several fields are left out. The reader is loaded when the first such file is.
 * @throws DataError `MALFORMED_PARQUET`, `TOO_LARGE`
 */
export async function readParquet(source: ByteSource, limits: DataLimits = DEFAULT_LIMITS): Promise<Table> {
  const [{ parquetMetadata, parquetReadObjects }, { compressors }] = await Promise.all([
    import('hyparquet'),
    import('hyparquet-compressors'),
  ]);
  if (source.size > limits.maxBytes)
    throw tooLarge(source.name, `${source.size} bytes are more than ${limits.maxBytes}`);
  const bytes = await source.read(0, source.size);
  const file = memoryBuffer(bytes);
  try {
    const metadata = parquetMetadata(bytes);
    checkBudget(metadata, source.name, limits);
    const options = { file, metadata, compressors: withinBudget(compressors, source.name, limits) };
    const columns: [string, unknown[]][] = [];
    for (const name of singleColumns(metadata)) {
      const values: unknown[] = [];
      // One row group of one column at a time: where several fail at once, the reader leaves rejections that nobody
      // handles, and those end a process.
      for (const { rowStart, rowEnd } of rowGroups(metadata)) {
        const rows = await parquetReadObjects({ ...options, columns: [name], rowStart, rowEnd });
        for (const row of rows) values.push(plainValue(row[name]));
      }
      columns.push([name, values]);
    }
    const dataset = Dataset.fromColumns(Object.fromEntries(columns));
    const numbers = Array.from({ length: dataset.numRows }, (_, row) => row + 1);
    return { dataset, numbers, numbering: 'row', classNames: classNames(metadata), skipped: [] };
  } catch (error) {
    if (DataError.isInstance(error) && error.code === 'TOO_LARGE') throw error;
    const cause = error instanceof Error ? error.message.slice(0, 200) : 'unreadable';
    throw new DataError('MALFORMED_PARQUET', `${source.name} can't be read as Parquet (${cause}); write it again`);
  }
}

/** Slices at once, so that a place outside of the file is an error where it is asked for. */
function memoryBuffer(bytes: Uint8Array): AsyncBuffer {
  return {
    byteLength: bytes.length,
    slice: (start, end = bytes.length) => {
      if (!(start >= 0 && end >= start && end <= bytes.length))
        throw new DataError('MALFORMED_PARQUET', `bytes ${start} to ${end} are not there`);
      return new Uint8Array(bytes.subarray(start, end)).buffer;
    },
  };
}

function* rowGroups({ row_groups: groups }: FileMetaData): Generator<{ rowStart: number; rowEnd: number }> {
  let rowStart = 0;
  for (const { num_rows: rows } of groups) {
    const rowEnd = rowStart + Number(rows);
    if (rowEnd > rowStart) yield { rowStart, rowEnd };
    rowStart = rowEnd;
  }
}

/** What the footer announces is held against the limits before a page is read. */
function checkBudget(metadata: FileMetaData, name: string, { maxBytes, maxValues }: DataLimits): void {
  const columns = singleColumns(metadata).length;
  if (columns > MAX_COLUMNS) throw tooLarge(name, `it has ${columns} columns, more than ${MAX_COLUMNS}`);
  const rows = Number(metadata.num_rows);
  if (!(rows >= 0)) throw new DataError('MALFORMED_PARQUET', `${name} announces ${rows} rows`);
  let values = rows * columns;
  let bytes = 0;
  for (const group of metadata.row_groups) {
    for (const { meta_data: chunk } of group.columns) {
      bytes += Number(chunk?.total_uncompressed_size ?? 0);
      values = Math.max(values, Number(chunk?.num_values ?? 0));
    }
  }
  if (values > maxValues) throw tooLarge(name, `it announces ${values} values, more than ${maxValues}`);
  if (bytes > maxBytes) throw tooLarge(name, `it unpacks to ${bytes} bytes, more than ${maxBytes}`);
}

/** Pages say themselves how much they unpack to: the sum over the file is bounded. */
function withinBudget(compressors: Compressors, name: string, { maxBytes }: DataLimits): Compressors {
  let total = 0;
  const bounded = Object.entries(compressors).map(([codec, unpack]): [string, typeof unpack] => [
    codec,
    (input, outputLength) => {
      total += outputLength;
      if (!(outputLength >= 0) || total > maxBytes) throw tooLarge(name, `it unpacks to more than ${maxBytes} bytes`);
      return unpack(input, outputLength);
    },
  ]);
  return Object.fromEntries(bounded);
}

/** Top-level columns with one kind of value in them: a value, or a list of values. */
function singleColumns({ schema }: FileMetaData): string[] {
  const names: string[] = [];
  // The schema is a tree in depth-first order; an element's children follow it.
  let at = 1;
  const leaves = (): number => {
    const children = schema[at++]?.num_children ?? 0;
    let count = children === 0 ? 1 : 0;
    for (let child = 0; child < children && at < schema.length; child++) count += leaves();
    return count;
  };
  while (at < schema.length) {
    const { name } = schema[at]!;
    if (leaves() === 1) names.push(name);
  }
  return names;
}

/** Whole numbers within float64 as numbers, dates as text: what a row of JSON would hold. */
function plainValue(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(plainValue);
  return value ?? null;
}

function classNames({ key_value_metadata: pairs = [] }: FileMetaData): Map<string, readonly string[]> {
  const text = pairs.find(({ key }) => key === FEATURES_KEY)?.value;
  const found = new Map<string, readonly string[]>();
  if (text === undefined) return found;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return found;
  }
  const features = (json as { info?: { features?: unknown } } | null)?.info?.features;
  if (typeof features !== 'object' || features === null) return found;
  for (const [column, feature] of Object.entries(features)) {
    const names = namesOf(feature);
    if (names !== undefined) found.set(column, names);
  }
  return found;
}

/** Names of a ClassLabel, or of a list of them. */
function namesOf(feature: unknown): readonly string[] | undefined {
  if (typeof feature !== 'object' || feature === null) return undefined;
  const { names, feature: inner } = feature as { names?: unknown; feature?: unknown };
  if (Array.isArray(names) && names.every((name) => typeof name === 'string')) return names;
  return inner === undefined ? undefined : namesOf(inner);
}
