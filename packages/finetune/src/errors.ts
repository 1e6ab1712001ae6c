/** What went wrong, for programs; the message says it for people. */
export type FinetuneErrorCode =
  | 'BAD_ARGUMENT'
  | 'UNSUPPORTED_MODEL'
  | 'BAD_ADAPTER'
  | 'OUTPUT_NOT_EMPTY'
  | 'NOTHING_FOUND'
  | 'NO_TEXT'
  | 'THREAD_FAILED';

/** What an error carries beside its message. */
export interface FinetuneErrorDetails {
  /** The value that was refused. */
  readonly value?: unknown;
  /** What can be done about it. */
  readonly remedy?: string;
  /** The error behind this one. */
  readonly cause?: unknown;
}

const marker = Symbol.for('@qlora-js/finetune/FinetuneError');

/** The one error class of this package. The message names the value, the place and the remedy. */
export class FinetuneError extends Error {
  override readonly name = 'FinetuneError';
  /** What went wrong, for programs. */
  readonly code: FinetuneErrorCode;
  /** The value that was refused. */
  readonly value: unknown;
  /** What can be done about it. */
  readonly remedy: string | undefined;

  constructor(code: FinetuneErrorCode, message: string, details: FinetuneErrorDetails = {}) {
    const { value, remedy, cause } = details;
    super(remedy === undefined ? message : `${message}; ${remedy}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.value = value;
    this.remedy = remedy;
    Object.defineProperty(this, marker, { value: true });
  }

  /** Like `instanceof`, but also true for an error made by the package's other builds (ESM, CJS, `./node`). */
  static isInstance(value: unknown): value is FinetuneError {
    return value instanceof Error && (value as unknown as Record<symbol, unknown>)[marker] === true;
  }
}
