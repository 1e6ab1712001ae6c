/** What went wrong, for code that reacts to it; the message says it for people. */
export type QuantErrorCode =
  /** An option, a shape or a size that does not fit. */
  | 'BAD_ARGUMENT'
  /** NaN or infinity among the values, or a mean of theirs that float32 has not. */
  | 'NON_FINITE'
  /** Stored tensors that are missing, cut short or say impossible things. */
  | 'BAD_STATE'
  /** A 4-bit weight was asked to take a gradient or other values. */
  | 'FROZEN';

/** What an error is about, where that can be named. */
export interface QuantErrorDetails {
  /** The value that was refused. */
  readonly value?: unknown;
  /** The file, tensor or option it was found in. */
  readonly place?: string;
  /** The error behind this one. */
  readonly cause?: unknown;
}

const marker = Symbol.for('@qlora-js/quant/QuantError');

/** The one error class of this package. The message names the tensor, the value and what to do about it. */
export class QuantError extends Error {
  /** Which kind of error it is. */
  readonly code: QuantErrorCode;
  /** The value that was refused, where there is one. */
  readonly value: unknown;
  /** The file, tensor or option the value was found in, where there is one. */
  readonly place: string | undefined;

  constructor(code: QuantErrorCode, message: string, details: QuantErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'QuantError';
    this.code = code;
    this.value = details.value;
    this.place = details.place;
    Object.defineProperty(this, marker, { value: true });
  }

  /** Like `instanceof`, but also true for an error of the package's other build (ESM, CJS). */
  static isInstance(value: unknown): value is QuantError {
    return value instanceof Error && (value as unknown as Record<symbol, unknown>)[marker] === true;
  }
}
