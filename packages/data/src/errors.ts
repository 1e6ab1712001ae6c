/** What went wrong, for code that reacts to it; the message carries the offending value, the place and the remedy. */
export type DataErrorCode =
  | 'malformed-csv'
  | 'malformed-json'
  | 'missing-file'
  | 'unknown-column'
  | 'duplicate-column'
  | 'uneven-rows'
  | 'row-out-of-range'
  | 'unknown-label'
  | 'invalid-labels'
  | 'empty-text'
  | 'invalid-row'
  | 'invalid-split'
  | 'invalid-option'
  | 'row-too-long';

/** The one error this package throws for bad input. */
export class DataError extends Error {
  override readonly name = 'DataError';

  constructor(
    readonly code: DataErrorCode,
    message: string,
    /** The value that was refused, where there is a single one. */
    readonly value?: unknown,
  ) {
    super(message);
  }
}

/** A value as an error shows it: quoted and cut, so that a hostile or huge field cannot flood a terminal. */
export function shown(value: unknown, limit = 80): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : describe(value);
  return text.length > limit ? `${text.slice(0, limit)}... (${text.length} characters)` : text;
}

function describe(value: unknown): string {
  if (typeof value === 'object' && value !== null)
    return Array.isArray(value) ? `an array of ${value.length}` : 'an object';
  if (typeof value === 'function') return 'a function';
  return String(value);
}
