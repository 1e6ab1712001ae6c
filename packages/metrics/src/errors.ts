export type MetricsErrorCode =
  | 'EMPTY'
  | 'LENGTH_MISMATCH'
  | 'INVALID_LABEL'
  | 'UNKNOWN_LABEL'
  | 'INVALID_SCORES'
  | 'INVALID_COUNTS'
  | 'INVALID_OPTION';

/** Input no metric can be computed from. `code` says which rule it broke, `value` holds what broke it. */
export class MetricsError extends Error {
  override readonly name = 'MetricsError';

  constructor(
    readonly code: MetricsErrorCode,
    message: string,
    readonly value?: unknown,
  ) {
    super(message);
  }
}

/** A value as it is put into a message: short, whatever the caller passed. */
export function shown(value: unknown): string {
  if (typeof value === 'string')
    return value.length > 60 ? `${JSON.stringify(value.slice(0, 60))}...` : JSON.stringify(value);
  if (typeof value === 'bigint') return `${value.toString()}n`;
  if (typeof value === 'number' || typeof value === 'boolean' || value === null || value === undefined)
    return String(value);
  return Array.isArray(value) ? `an array of ${value.length}` : `a value of type ${typeof value}`;
}

/** The option, or an error that names it, its value and what it may be. */
export function checkedInteger(
  name: string,
  value: number,
  smallest: number,
  largest = Number.MAX_SAFE_INTEGER,
): number {
  if (!Number.isSafeInteger(value) || value < smallest || value > largest) {
    const range = largest === Number.MAX_SAFE_INTEGER ? `of at least ${smallest}` : `from ${smallest} to ${largest}`;
    throw new MetricsError('INVALID_OPTION', `${name} is ${shown(value)}: pass an integer ${range}.`, value);
  }
  return value;
}
