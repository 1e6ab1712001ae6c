import { DataError, shown } from '../errors';
import type { ByteSource } from '../files/byte-source';
import { tooLarge } from '../files/limits';
import { checkedObject } from '../read/json-rows';
import { parseJson } from '../read/parse-json';
import { rowStream, type RowStream, type RowStreamFacts } from './row-stream';

/** Bytes that are read at a time. */
const BLOCK = 1 << 18;

/** How a file of JSON Lines is streamed. */
export interface JsonlRowsOptions extends RowStreamFacts {
  /** Bytes of a line, at most. Default 16 MiB. */
  readonly maxLineBytes?: number;
}

/**
 * The objects of a file of JSON Lines, one after the other, a block of the file in memory at a time; empty lines are skipped.
 *
 * @throws DataError, from the rows: `MALFORMED_JSON`, `NOT_UTF8`, `TOO_LARGE` naming the line
 */
export function jsonlRows<Row extends object = Record<string, unknown>>(
  source: ByteSource,
  { maxLineBytes = 1 << 24, ...facts }: JsonlRowsOptions = {},
): RowStream<Row> {
  return rowStream(() => objectsOf<Row>(source, maxLineBytes), facts);
}

async function* objectsOf<Row extends object>(
  source: ByteSource,
  maxLineBytes: number,
): AsyncGenerator<Row, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let line = 1;
  let rest = '';
  for (let offset = 0; offset < source.size; offset += BLOCK) {
    const length = Math.min(BLOCK, source.size - offset);
    rest += decoded(decoder, await source.read(offset, length), {
      place: source.name,
      stream: offset + length < source.size,
    });
    let start = 0;
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n', start)) {
      const row = objectOf<Row>(rest.slice(start, end), `${source.name}, line ${line++}`);
      start = end + 1;
      if (row !== undefined) yield row;
    }
    rest = rest.slice(start);
    if (rest.length > maxLineBytes)
      throw tooLarge(`${source.name}, line ${line}`, `it is longer than ${maxLineBytes} bytes`);
  }
  const row = objectOf<Row>(rest, `${source.name}, line ${line}`);
  if (row !== undefined) yield row;
}

function decoded(
  decoder: TextDecoder,
  bytes: Uint8Array,
  { place, stream }: { place: string; stream: boolean },
): string {
  try {
    return decoder.decode(bytes, { stream });
  } catch {
    throw new DataError('NOT_UTF8', `${place} is not UTF-8; save it as UTF-8`);
  }
}

function objectOf<Row extends object>(text: string, place: string): Row | undefined {
  if (text.trim() === '') return undefined;
  return checkedObject(parseJson(text, place), place, shown(text)) as Row;
}
