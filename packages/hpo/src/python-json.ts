import { type JsonValue } from './json-value';
import { randomUuid } from './random/uuid';

/** Stands for NaN between the two steps of parsing; a fresh UUID, so that no text from outside can hold it. */
const nanStandIn = `NaN-${randomUuid()}`;
const stringOrConstant = /"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b(?!\s*:)/g;

/**
 * Parses what Python's json.loads does: JSON, and the bare words NaN, Infinity and -Infinity. Throws SyntaxError, or
 * RangeError where the nesting is too deep.
 */
export function parsePythonJson(text: string): JsonValue {
  if (!/NaN|Infinity/.test(text)) return JSON.parse(text) as JsonValue;
  const replaced = text.replace(stringOrConstant, (found) => {
    if (found === 'NaN') return `"${nanStandIn}"`;
    // JSON has no infinities, but a number too large for a float is read as one.
    if (found === 'Infinity') return '1e999';
    if (found === '-Infinity') return '-1e999';
    return found;
  });
  return JSON.parse(replaced, (_key, value: unknown) => (value === nanStandIn ? NaN : value)) as JsonValue;
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
