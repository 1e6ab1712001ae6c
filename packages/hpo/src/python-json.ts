import { type JsonValue } from './json-value';
import { orderedRecord } from './ordered-record';
import { randomUuid } from './random/uuid';

/** Stands for NaN between the two steps of parsing; a fresh UUID, so that no text from outside can hold it. */
const nanStandIn = `NaN-${randomUuid()}`;
const stringOrConstant = /"(?:[^"\\]|\\.)*"(\s*:)?|-?\bInfinity\b|\bNaN\b(?!\s*:)/g;
/** A key that JavaScript would move before others. */
const indexLikeKey = /^"(?:0|[1-9]\d{0,9})"\s*:$/;
/** Stands before such a key between the two steps of parsing. */
const keyMark = `key-${randomUuid()}-`;

/**
 * Parses what Python's json.loads does: JSON, and the bare words NaN, Infinity and -Infinity; keys keep their order. Throws SyntaxError, or
 * RangeError where the nesting is too deep.
 */
export function parsePythonJson(text: string): JsonValue {
  if (!/NaN|Infinity|"\d{1,10}"\s*:/.test(text)) return JSON.parse(text) as JsonValue;
  const replaced = text.replace(stringOrConstant, (found) => {
    if (found === 'NaN') return `"${nanStandIn}"`;
    // JSON has no infinities, but a number too large for a float is read as one.
    if (found === 'Infinity') return '1e999';
    if (found === '-Infinity') return '-1e999';
    return indexLikeKey.test(found) ? `"${keyMark}${found.slice(1)}` : found;
  });
  return JSON.parse(replaced, (_key, value: unknown) =>
    value === nanStandIn ? NaN : withoutMarks(value),
  ) as JsonValue;
}

/** An object with its marked keys as they were, in their order. */
function withoutMarks(value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  const entries = Object.entries(value) as [string, JsonValue][];
  if (!entries.some(([key]) => key.startsWith(keyMark))) return value;
  return orderedRecord(entries.map(([key, item]) => [key.startsWith(keyMark) ? key.slice(keyMark.length) : key, item]));
}

/** JSON as Python's json.dumps makes it, with NaN, Infinity and -Infinity as bare words. */
export function pythonJson(value: JsonValue): string {
  if (typeof value === 'number') return Number.isFinite(value) ? JSON.stringify(value) : pythonFloat(value);
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${(value as readonly JsonValue[]).map(pythonJson).join(',')}]`;
  return `{${Object.entries(value)
    .map(([key, item]) => `${JSON.stringify(key)}:${pythonJson(item)}`)
    .join(',')}}`;
}

/** A number as a Python float: whole ones keep a decimal point, so that Python does not read an int. */
export function pythonFloat(value: number): string {
  if (Number.isInteger(value)) return /^-?\d+$/.test(String(value)) ? `${value}.0` : String(value);
  if (Number.isFinite(value)) return String(value);
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? 'Infinity' : '-Infinity';
}
