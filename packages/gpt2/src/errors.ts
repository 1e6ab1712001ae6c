/** What went wrong, for code that reacts to it; the message says it for people. */
export type Gpt2ErrorCode =
  /** A config.json that is wrong or of a model this is not. */
  | 'BAD_CONFIG'
  /** A checkpoint that lacks weights, has them in other shapes or is damaged. */
  | 'BAD_CHECKPOINT'
  /** Token ids, lengths or labels that make no batch of this model. */
  | 'BAD_BATCH'
  /** An option or argument that is wrong. */
  | 'BAD_ARGUMENT'
  /** NaN or infinity among a model's outputs. */
  | 'NON_FINITE';

/** What an error is about, where that can be named. */
export interface Gpt2ErrorDetails {
  /** The value that was refused. */
  readonly value?: unknown;
  /** The file, tensor or option it was found in. */
  readonly place?: string;
  /** The error behind this one. */
  readonly cause?: unknown;
}

/** How a family of models says what is wrong: with an error of its own package's class. */
export type FamilyError = (
  code: 'BAD_CONFIG' | 'BAD_CHECKPOINT' | 'BAD_ARGUMENT',
  message: string,
  details?: Gpt2ErrorDetails,
) => Error;

const marker = Symbol.for('@qlora-js/gpt2/Gpt2Error');

/** The one error class of this package. The message names the value, the place and what to do about it. */
export class Gpt2Error extends Error {
  /** Which kind of error it is. */
  readonly code: Gpt2ErrorCode;
  /** The value that was refused, where there is one. */
  readonly value: unknown;
  /** The file, tensor or option the value was found in, where there is one. */
  readonly place: string | undefined;

  constructor(code: Gpt2ErrorCode, message: string, details: Gpt2ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'Gpt2Error';
    this.code = code;
    this.value = details.value;
    this.place = details.place;
    Object.defineProperty(this, marker, { value: true });
  }

  /** Like `instanceof`, but also true for an error of the package's other build (ESM, CJS). */
  static isInstance(value: unknown): value is Gpt2Error {
    return value instanceof Error && (value as unknown as Record<symbol, unknown>)[marker] === true;
  }
}

/** What this family's configs and checkpoints are refused with. */
export const gpt2Error: FamilyError = (...reason) => new Gpt2Error(...reason);
