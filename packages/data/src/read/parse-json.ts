import { DataError, shown } from '../errors';
import { DEFAULT_LIMITS, tooLarge, type DataLimits } from '../files/limits';

/** Nesting that no table needs; deeper text is refused before it is parsed. */
const MAX_DEPTH = 64;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
/** `[` and `{`; the closing ones are two further. */
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

/**
 * JSON.parse whose error names the place, on text that asks for no more than it should.
 * @throws DataError `MALFORMED_JSON`, `TOO_LARGE`
 */
export function parseJson(text: string, place: string, limits: DataLimits = DEFAULT_LIMITS): unknown {
  checkBudget(text, place, limits);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DataError(
      'MALFORMED_JSON',
      `${place}: not JSON (${cause instanceof Error ? cause.message : 'unreadable'}): ${shown(text)}`,
      text,
    );
  }
}

/** A small text can ask for much: ten million empty lists, or lists ten thousand deep. */
function checkBudget(text: string, place: string, { maxValues }: DataLimits): void {
  let depth = 0;
  let values = 1;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = stringEnd(text, at);
    } else if (OPENING.has(code)) {
      values++;
      if (++depth > MAX_DEPTH)
        throw new DataError('MALFORMED_JSON', `${place}: nested deeper than ${MAX_DEPTH} levels, which no table is`);
    } else if (CLOSING.has(code)) {
      depth--;
    } else if (code === COMMA && ++values > maxValues) {
      throw tooLarge(place, `more than ${maxValues} values`);
    }
  }
}

/** Place of the quote that closes the string opened at `from`, or the text's end. */
function stringEnd(text: string, from: number): number {
  for (let at = from + 1; ; at++) {
    at = text.indexOf('"', at);
    if (at < 0) return text.length;
    let slashes = 0;
    while (text.charCodeAt(at - 1 - slashes) === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return at;
  }
}
