import type { FamilyError } from '@qlora-js/gpt2';

/** What went wrong, for code that reacts to it; the message says it for people. */
export type LlamaErrorCode =
  /** A config.json that is wrong or of a model this is not. */
  | 'BAD_CONFIG'
  /** A checkpoint that lacks weights, has them in other shapes or is damaged. */
  | 'BAD_CHECKPOINT'
  /** An option or argument that is wrong. */
  | 'BAD_ARGUMENT';

/** What an error is about, where that can be named. */
export interface LlamaErrorDetails {
  /** The value that was refused. */
  readonly value?: unknown;
  /** The file, tensor or option it was found in. */
  readonly place?: string;
  /** The error behind this one. */
  readonly cause?: unknown;
}

const marker = Symbol.for('@qlora-js/llama/LlamaError');

/** The one error class of this package. The message names the value, the place and what to do about it. */
export class LlamaError extends Error {
  /** Which kind of error it is. */
  readonly code: LlamaErrorCode;
  /** The value that was refused, where there is one. */
  readonly value: unknown;
  /** The file, tensor or option the value was found in, where there is one. */
  readonly place: string | undefined;

  constructor(code: LlamaErrorCode, message: string, details: LlamaErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'LlamaError';
    this.code = code;
    this.value = details.value;
    this.place = details.place;
    Object.defineProperty(this, marker, { value: true });
  }

  /** Like `instanceof`, but also true for an error of the package's other build (ESM, CJS). */
  static isInstance(value: unknown): value is LlamaError {
    return value instanceof Error && (value as unknown as Record<symbol, unknown>)[marker] === true;
  }
}

/** What this family's configs and checkpoints are refused with. */
export const llamaError: FamilyError = (...reason) => new LlamaError(...reason);
