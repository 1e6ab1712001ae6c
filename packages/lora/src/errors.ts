/** What went wrong, for code that reacts to it; the message says it for people. */
export type LoraErrorCode =
  /** A value of a LoraConfig or of an adapter_config.json that is wrong or not supported. */
  | 'BAD_CONFIG'
  /** `targetModules` fit no layer of the model. */
  | 'NO_TARGET'
  /** An adapter's files are missing, damaged or of another model. */
  | 'BAD_ADAPTER'
  /** An argument that is wrong in itself or for the state the model is in. */
  | 'BAD_ARGUMENT';

/** What an error is about, where that can be named. */
export interface LoraErrorDetails {
  /** The value that was refused. */
  readonly value?: unknown;
  /** The file, tensor or option it was found in. */
  readonly place?: string;
  /** The error behind this one. */
  readonly cause?: unknown;
}

const marker = Symbol.for('@qlora-js/lora/LoraError');

/** The one error class of this package. The message names the value, the place and what to do about it. */
export class LoraError extends Error {
  /** Which kind of error it is. */
  readonly code: LoraErrorCode;
  /** The value that was refused, where there is one. */
  readonly value: unknown;
  /** The file, tensor or option the value was found in, where there is one. */
  readonly place: string | undefined;

  constructor(code: LoraErrorCode, message: string, details: LoraErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'LoraError';
    this.code = code;
    this.value = details.value;
    this.place = details.place;
    Object.defineProperty(this, marker, { value: true });
  }

  /** Like `instanceof`, but also true for an error of the package's other build (ESM, CJS). */
  static isInstance(value: unknown): value is LoraError {
    return value instanceof Error && (value as unknown as Record<symbol, unknown>)[marker] === true;
  }
}
