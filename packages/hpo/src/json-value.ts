import { HpoError, shown } from './errors';
import { orderedRecord } from './ordered-record';

/** A value that JSON can hold; NaN and the infinities too, as Python's json writes and reads them. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

const depthLimit = 100;

/**
 * A copy of a value that came from outside, made of nothing but JSON's kinds. Throws HpoError `INVALID_VALUE` for
 * functions, undefined, class instances, cycles and nesting beyond 100 levels. `place` says whose value it is.
 */
export function jsonCopy(value: unknown, place: string, depth = 0): JsonValue {
  if (value === null || typeof value === 'boolean' || typeof value === 'number' || typeof value === 'string') {
    return value;
  }
  if (depth >= depthLimit) {
    throw new HpoError('INVALID_VALUE', `${place} is nested more than ${depthLimit} levels deep, or contains itself`, {
      place,
    });
  }
  if (Array.isArray(value)) {
    return Object.freeze(value.map((item: unknown) => jsonCopy(item, place, depth + 1)));
  }
  if (typeof value === 'object') {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null) {
      const entries = Object.entries(value).map(([key, item]): [string, JsonValue] => [
        key,
        jsonCopy(item, place, depth + 1),
      ]);
      return orderedRecord(entries);
    }
  }
  throw new HpoError(
    'INVALID_VALUE',
    `${place} must be made of null, booleans, numbers, strings, arrays and plain objects, but holds ${shown(value)}`,
    { place, value },
  );
}
