/** What went wrong, for code that reacts to it; the message carries the offending value, the place and the remedy. */
export type DataErrorCode =
  | 'MALFORMED_CSV'
  | 'MALFORMED_JSON'
  | 'MALFORMED_PARQUET'
  | 'MALFORMED_CARD'
  | 'NOT_UTF8'
  | 'TOO_LARGE'
  | 'UNKNOWN_FORMAT'
  | 'MISSING_FILE'
  | 'UNKNOWN_COLUMN'
  | 'DUPLICATE_COLUMN'
  | 'AMBIGUOUS_COLUMNS'
  | 'UNEVEN_ROWS'
  | 'ROW_OUT_OF_RANGE'
  | 'UNKNOWN_LABEL'
  | 'INVALID_LABELS'
  | 'EMPTY_TEXT'
  | 'INVALID_ROW'
  | 'INVALID_SPLIT'
  | 'INVALID_OPTION'
  | 'ROW_TOO_LONG'
  | 'WORKER_FAILED'
  | 'UNWRITABLE';

const marker = Symbol.for('@qlora-js/data/DataError');

/** The one error this package throws for bad input. */
export class DataError extends Error {
  override readonly name = 'DataError';

  /** @param value what was refused, where there is a single value */
  constructor(
    /** What went wrong, for programs. */
    readonly code: DataErrorCode,
    message: string,
    /** The value that was refused, where there is a single one. */
    readonly value?: unknown,
  ) {
    super(message);
    Object.defineProperty(this, marker, { value: true });
  }

  /** Like `instanceof`, but also true for an error made by the package's other builds (ESM, CJS, its other entries). */
  static isInstance(value: unknown): value is DataError {
    return value instanceof Error && (value as unknown as Record<symbol, unknown>)[marker] === true;
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
