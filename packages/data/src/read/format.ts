import { DataError } from '../errors';
import type { ByteSource } from '../files/byte-source';

/** The kinds of file that tables are read from. */
export type DataFormat = 'csv' | 'tsv' | 'json' | 'jsonl' | 'parquet';

/** All of them. */
export const DATA_FORMATS: readonly DataFormat[] = ['csv', 'tsv', 'json', 'jsonl', 'parquet'];

const ENDINGS: Readonly<Record<string, DataFormat>> = {
  csv: 'csv',
  tsv: 'tsv',
  tab: 'tsv',
  json: 'json',
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  parquet: 'parquet',
  pq: 'parquet',
};

/** The format that a file's name tells, with or without `.gz`. */
export function formatOfName(name: string): DataFormat | undefined {
  const ending = /\.([a-z]+)(?:\.gz)?$/i.exec(name)?.[1]?.toLowerCase();
  return ending !== undefined && Object.hasOwn(ENDINGS, ending) ? ENDINGS[ending] : undefined;
}

const HEAD_BYTES = 65_536;

/**
 * The format that a file's first bytes tell, for files without a telling name such as standard input.
 * @throws DataError `UNKNOWN_FORMAT` for an empty file or one of other bytes than text
 */
export async function formatOfContent(source: ByteSource): Promise<DataFormat> {
  const head = await source.read(0, Math.min(HEAD_BYTES, source.size));
  const start = new TextDecoder().decode(head).replace(/^\uFEFF?\s*/, '');
  if (start.startsWith('PAR1')) return 'parquet';
  if (start === '' || start.includes('\0')) {
    throw new DataError(
      'UNKNOWN_FORMAT',
      `${source.name} is ${start === '' ? 'empty' : 'not text'}; a data file is ${DATA_FORMATS.join(', ')}, gzip or not`,
    );
  }
  const [firstLine = ''] = start.split(/\r\n|\n/, 1);
  if (start.startsWith('[')) return 'json';
  if (start.startsWith('{')) return isJson(firstLine) && firstLine.length < start.trimEnd().length ? 'jsonl' : 'json';
  return firstLine.includes('\t') ? 'tsv' : 'csv';
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
