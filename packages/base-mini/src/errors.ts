/** What went wrong, for code that reacts to it; the message says it for people. */
export type BaseMiniErrorCode =
  /** The package has no file of that name. */
  | 'NO_SUCH_FILE'
  /** A file could not be read. */
  | 'UNREADABLE'
  /** Bytes beyond a file's end were asked for. */
  | 'OUT_OF_RANGE';

/** What an error is about, where that can be named. */
export interface BaseMiniErrorDetails {
  /** The value that was refused. */
  readonly value?: unknown;
  /** The file, tensor or option it was found in. */
  readonly place?: string;
  /** The error behind this one. */
  readonly cause?: unknown;
}

const marker = Symbol.for('@qlora-js/base-mini/BaseMiniError');

/** The one error class of this package. The message names the file and what to do about it. */
export class BaseMiniError extends Error {
  /** Which kind of error it is. */
  readonly code: BaseMiniErrorCode;
  /** The value that was refused, where there is one. */
  readonly value: unknown;
  /** The file, tensor or option the value was found in, where there is one. */
  readonly place: string | undefined;

  constructor(code: BaseMiniErrorCode, message: string, details: BaseMiniErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'BaseMiniError';
    this.code = code;
    this.value = details.value;
    this.place = details.place;
    Object.defineProperty(this, marker, { value: true });
  }

  /** Like `instanceof`, but also true for an error of the package's other build (ESM, CJS). */
  static isInstance(value: unknown): value is BaseMiniError {
    return value instanceof Error && (value as unknown as Record<symbol, unknown>)[marker] === true;
  }
}
