/** What went wrong, for code that reacts to it; the message says it for people. */
export type MetricsErrorCode =
  /** There is nothing to compute a metric from. */
  | 'EMPTY'
  /** Lists that belong together differ in length. */
  | 'LENGTH_MISMATCH'
  /** A label that is none of the kinds of label. */
  | 'INVALID_LABEL'
  /** A label that is not among the known ones. */
  | 'UNKNOWN_LABEL'
  /** Scores or probabilities that are none. */
  | 'INVALID_SCORES'
  /** Counts that no confusion matrix has. */
  | 'INVALID_COUNTS'
  /** An option that is wrong. */
  | 'INVALID_OPTION';

/** What an error is about, where that can be named. */
export interface MetricsErrorDetails {
  /** The value that was refused. */
  readonly value?: unknown;
  /** The file, tensor or option it was found in. */
  readonly place?: string;
  /** The error behind this one. */
  readonly cause?: unknown;
}

const marker = Symbol.for('@qlora-js/metrics/MetricsError');

/** The one error class of this package. The message names the rule that the input broke, the value and what to do about it. */
export class MetricsError extends Error {
  /** Which kind of error it is. */
  readonly code: MetricsErrorCode;
  /** The value that was refused, where there is one. */
  readonly value: unknown;
  /** The file, tensor or option the value was found in, where there is one. */
  readonly place: string | undefined;

  constructor(code: MetricsErrorCode, message: string, details: MetricsErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'MetricsError';
    this.code = code;
    this.value = details.value;
    this.place = details.place;
    Object.defineProperty(this, marker, { value: true });
  }

  /** Like `instanceof`, but also true for an error of the package's other build (ESM, CJS). */
  static isInstance(value: unknown): value is MetricsError {
    return value instanceof Error && (value as unknown as Record<symbol, unknown>)[marker] === true;
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
    throw new MetricsError('INVALID_OPTION', `${name} is ${shown(value)}: pass an integer ${range}.`, { value });
  }
  return value;
}
