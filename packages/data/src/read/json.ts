import { Dataset } from '../dataset/dataset';
import { DataError, shown } from '../errors';
import { DEFAULT_LIMITS, tooLarge, type DataLimits } from '../files/limits';
import { checkedObject, filled } from './json-rows';
import { parseJson } from './parse-json';
import { badRowHandler, type BadRows, type Table } from './table';

/** How a JSON file is read. */
export interface JsonOptions {
  /** What errors call the text. */
  source: string;
  /** Default 'error'. */
  onBadRow?: BadRows;
  /** Default: DEFAULT_LIMITS. */
  limits?: DataLimits;
}

/**
 * Reads a JSON file of rows: an array of objects, an object that holds one array of objects (`{"data": [...]}`), or an
 * object of columns (`{"text": [...], "label": [...]}`). A key that a row lacks is null in it.
 * @throws DataError `MALFORMED_JSON`, `TOO_LARGE`
 */
export function readJson(text: string, { source, onBadRow = 'error', limits = DEFAULT_LIMITS }: JsonOptions): Table {
  const json = parseJson(text.replace(/^\uFEFF/, ''), source, limits);
  const columns = asColumns(json);
  if (columns !== undefined) {
    const dataset = Dataset.fromColumns(columns);
    const numbers = Array.from({ length: dataset.numRows }, (_, row) => row + 1);
    return { dataset, numbers, numbering: 'row', classNames: new Map(), skipped: [] };
  }
  const { refuse, skipped } = badRowHandler(onBadRow);
  const rows: Record<string, unknown>[] = [];
  const numbers: number[] = [];
  const names = new Set<string>();
  asRows(json, source).forEach((row, index) => {
    const place = `${source}, row ${index + 1}`;
    try {
      const checked = checkedObject(row, place, row);
      Object.keys(checked).forEach((name) => names.add(name));
      rows.push(checked);
      numbers.push(index + 1);
    } catch (error) {
      if (!DataError.isInstance(error)) throw error;
      refuse(place, error);
    }
  });
  if (rows.length * names.size > limits.maxValues)
    throw tooLarge(source, `rows times columns are more than ${limits.maxValues}`);
  return { dataset: filled(rows, [...names]), numbers, numbering: 'row', classNames: new Map(), skipped };
}

function asRows(json: unknown, source: string): readonly unknown[] {
  if (Array.isArray(json)) return json;
  const lists = Object.values(json ?? {}).filter((value): value is unknown[] => Array.isArray(value));
  if (lists.length === 1) return lists[0]!;
  throw new DataError(
    'MALFORMED_JSON',
    `${source}: an array of rows is needed, an object that holds one, or an object of columns; got ${shown(json)}`,
    json,
  );
}

/** The columns of an object of equally long lists, of which there are two or more and the first holds no objects. */
function asColumns(json: unknown): Record<string, unknown[]> | undefined {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return undefined;
  const lists = Object.values(json) as unknown[];
  if (lists.length < 2 || !lists.every(Array.isArray)) return undefined;
  const [first] = lists as unknown[][];
  if (lists.some((list) => (list as unknown[]).length !== first!.length)) return undefined;
  return json as Record<string, unknown[]>;
}
