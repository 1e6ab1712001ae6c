import { DataError, shown } from '../errors';
import type { ByteSource } from '../files/byte-source';
import { DEFAULT_LIMITS, type DataLimits } from '../files/limits';
import { plainSource, textOf } from '../files/plain';
import { readCsv } from './csv';
import { DATA_FORMATS, formatOfContent, formatOfName, type DataFormat } from './format';
import { readJson } from './json';
import { readJsonl } from './jsonl';
import { readParquet } from './parquet';
import type { BadRows, Table } from './table';

/** How a file is read. */
export interface TableOptions {
  /** Default: what the file's name says, else what its first bytes do. */
  format?: DataFormat;
  /** One character between the fields of a CSV file; default: the one of comma, semicolon and tab that its header has. */
  delimiter?: string;
  /** Names for the fields of a CSV or TSV file without a header; its first line is then a row too. */
  columns?: readonly string[];
  /** Default 'error'. */
  onBadRow?: BadRows;
  /** Default: DEFAULT_LIMITS. */
  limits?: DataLimits;
}

/**
 * Reads one file as a table: CSV, TSV, JSON, JSON Lines or Parquet, gzip or not.
 * @throws DataError naming file, line and cause, before a limit is passed
 */
export async function readTable(source: ByteSource, options: TableOptions = {}): Promise<Table> {
  const { onBadRow = 'error', limits = DEFAULT_LIMITS, columns } = options;
  if (options.format !== undefined && !DATA_FORMATS.includes(options.format)) {
    throw new DataError(
      'INVALID_OPTION',
      `a format is one of ${DATA_FORMATS.join(', ')}, got ${shown(options.format)}`,
      options.format,
    );
  }
  const plain = await plainSource(source, limits);
  const format = options.format ?? formatOfName(source.name) ?? (await formatOfContent(plain));
  if (format === 'parquet') return readParquet(plain, limits);
  const text = await textOf(plain);
  const named = { source: source.name, onBadRow, limits };
  if (format === 'json') return readJson(text, named);
  if (format === 'jsonl') return readJsonl(text, { ...named, missingKeys: 'null' });
  const header = columns === undefined ? {} : { columns, withoutHeader: true };
  if (format === 'tsv') return readCsv(text, { ...named, ...header, delimiter: '\t', strayQuotes: true });
  return readCsv(text, { ...named, ...header, delimiter: options.delimiter ?? delimiterOf(text) });
}

/** Comma, unless the first line has none and has semicolons or tabs, as spreadsheets in half of Europe write. */
function delimiterOf(text: string): string {
  const [line = ''] = text.slice(0, 65_536).split(/[\r\n]/, 1);
  if (line.includes(',')) return ',';
  return [';', '\t'].find((delimiter) => line.includes(delimiter)) ?? ',';
}
