/** What went wrong, for code that reacts to it; the message says it for people. */
export type OptimErrorCode =
  /** An option or argument that is wrong. */
  | 'BAD_ARGUMENT'
  /** A saved state that is of other parameters, or damaged. */
  | 'BAD_STATE'
  /** A parameter of a group came without a gradient. */
  | 'MISSING_GRADIENT'
  /** The optimiser has been disposed of. */
  | 'DISPOSED';

/** What an error is about, where that can be named. */
export interface OptimErrorDetails {
  /** The value that was refused. */
  readonly value?: unknown;
  /** The file, tensor or option it was found in. */
  readonly place?: string;
  /** The error behind this one. */
  readonly cause?: unknown;
}

const marker = Symbol.for('@qlora-js/optim/OptimError');

/** The one error class of this package. The message names the value, the place and what to do about it. */
export class OptimError extends Error {
  /** Which kind of error it is. */
  readonly code: OptimErrorCode;
  /** The value that was refused, where there is one. */
  readonly value: unknown;
  /** The file, tensor or option the value was found in, where there is one. */
  readonly place: string | undefined;

  constructor(code: OptimErrorCode, message: string, details: OptimErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'OptimError';
    this.code = code;
    this.value = details.value;
    this.place = details.place;
    Object.defineProperty(this, marker, { value: true });
  }

  /** Like `instanceof`, but also true for an error of the package's other build (ESM, CJS). */
  static isInstance(value: unknown): value is OptimError {
    return value instanceof Error && (value as unknown as Record<symbol, unknown>)[marker] === true;
  }
}
