/** What went wrong, for code that reacts to it; the message says it for people. */
export type KernelErrorCode =
  /** A tensor of a shape that an op does not take. */
  | 'BAD_SHAPE'
  /** A tensor of a dtype that an op does not take. */
  | 'BAD_DTYPE'
  /** An option or argument that is wrong. */
  | 'BAD_ARGUMENT'
  /** NaN or infinity where neither can be. */
  | 'NON_FINITE'
  /** A backend that does not open here. */
  | 'NO_BACKEND'
  /** A feature that the device has not. */
  | 'NO_FEATURE'
  /** More memory than the device or the budget has. */
  | 'OUT_OF_MEMORY'
  /** The GPU was lost: another device has to be opened. */
  | 'DEVICE_LOST'
  /** Something that has been disposed of was used. */
  | 'DISPOSED';

/** What an error is about, where that can be named. */
export interface KernelErrorDetails {
  /** The value that was refused. */
  readonly value?: unknown;
  /** The file, tensor or option it was found in. */
  readonly place?: string;
  /** The error behind this one. */
  readonly cause?: unknown;
}

const marker = Symbol.for('@qlora-js/kernels/KernelError');

/** The one error class of this package. The message names the op, the value and what to do about it. */
export class KernelError extends Error {
  /** Which kind of error it is. */
  readonly code: KernelErrorCode;
  /** The value that was refused, where there is one. */
  readonly value: unknown;
  /** The file, tensor or option the value was found in, where there is one. */
  readonly place: string | undefined;

  constructor(code: KernelErrorCode, message: string, details: KernelErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'KernelError';
    this.code = code;
    this.value = details.value;
    this.place = details.place;
    Object.defineProperty(this, marker, { value: true });
  }

  /** Like `instanceof`, but also true for an error of the package's other build (ESM, CJS). */
  static isInstance(value: unknown): value is KernelError {
    return value instanceof Error && (value as unknown as Record<symbol, unknown>)[marker] === true;
  }
}
