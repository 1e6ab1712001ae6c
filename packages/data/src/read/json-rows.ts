import { Dataset } from '../dataset/dataset';
import { DataError, shown } from '../errors';

/** Rows as columns, with null where a row lacks a key. */
export function filled(rows: readonly Record<string, unknown>[], names: readonly string[]): Dataset {
  const column = (name: string): unknown[] => rows.map((row) => (Object.hasOwn(row, name) ? row[name] : null));
  return Dataset.fromColumns(Object.fromEntries(names.map((name) => [name, column(name)])));
}

/** A row of JSON. @throws DataError `MALFORMED_JSON` for anything but an object */
export function checkedObject(row: unknown, place: string, content: unknown): Record<string, unknown> {
  if (typeof row === 'object' && row !== null && !Array.isArray(row)) return row as Record<string, unknown>;
  throw new DataError('MALFORMED_JSON', `${place}: a row is one JSON object, got ${shown(content)}`, content);
}
