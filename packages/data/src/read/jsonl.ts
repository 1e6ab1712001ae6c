import { Dataset } from '../dataset/dataset';
import { DataError, shown } from '../errors';
import { DEFAULT_LIMITS, type DataLimits } from '../files/limits';
import { checkedObject, filled } from './json-rows';
import { parseJson } from './parse-json';
import { badRowHandler, type BadRows, type Table } from './table';

/** How JSON Lines are read. */
export interface JsonlOptions {
  /** What errors call the text, a file name usually; default "JSONL text". */
  source?: string;
  /** Default 'error'. */
  onBadRow?: BadRows;
  /** A key that a line lacks: an error (default), or null in that row. */
  missingKeys?: 'error' | 'null';
  /** Default: DEFAULT_LIMITS. */
  limits?: DataLimits;
}

/**
 * Reads JSON Lines: one object a line, all with the same keys; empty lines are skipped.
 * @throws DataError `MALFORMED_JSON` naming the line, `TOO_LARGE`
 */
export function parseJsonl(text: string, options: JsonlOptions = {}): Dataset {
  return readJsonl(text, options).dataset;
}

/** As `parseJsonl`, with the lines of the rows and what was left out. */
export function readJsonl(text: string, options: JsonlOptions = {}): Table {
  const { source = 'JSONL text', onBadRow = 'error', missingKeys = 'error', limits = DEFAULT_LIMITS } = options;
  const { refuse, skipped } = badRowHandler(onBadRow);
  const rows: Record<string, unknown>[] = [];
  const numbers: number[] = [];
  const collect = missingKeys === 'null' ? new Set<string>() : undefined;
  let names: string[] | undefined;
  let line = 0;
  for (const content of lines(text)) {
    line++;
    if (content.trim() === '') continue;
    const place = `${source}, line ${line}`;
    try {
      const row = checkedObject(parseJson(content, place, limits), place, content);
      const keys = Object.keys(row);
      if (collect === undefined) checkKeys(keys, (names ??= keys), place);
      else keys.forEach((key) => collect.add(key));
      rows.push(row);
      numbers.push(line);
    } catch (error) {
      if (!DataError.isInstance(error) || error.code !== 'MALFORMED_JSON') throw error;
      refuse(place, error);
    }
  }
  const dataset = collect === undefined ? Dataset.fromRows(rows) : filled(rows, [...collect]);
  return { dataset, numbers, numbering: 'line', classNames: new Map(), skipped };
}

function checkKeys(keys: readonly string[], names: readonly string[], place: string): void {
  const odd = names.find((name) => !keys.includes(name)) ?? keys.find((name) => !names.includes(name));
  if (odd === undefined) return;
  const fault = keys.includes(odd) ? 'is new here' : 'is missing';
  throw new DataError(
    'MALFORMED_JSON',
    `${place}: the key ${shown(odd)} ${fault}; every line has the keys ${names.join(', ')}`,
    odd,
  );
}

/** Lines one by one, so that a file of line ends alone costs no array of them. */
function* lines(text: string): Generator<string, void, undefined> {
  let at = text.startsWith('\uFEFF') ? 1 : 0;
  while (at <= text.length) {
    const found = text.indexOf('\n', at);
    const end = found < 0 ? text.length : found;
    yield text.slice(at, text[end - 1] === '\r' ? end - 1 : end);
    at = end + 1;
  }
}
