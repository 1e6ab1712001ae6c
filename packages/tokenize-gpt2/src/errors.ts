import { ReadBudget, type ReadLimits, shown } from '@qlora-js/read-budget';

/** What went wrong, for code that reacts to it; the message says it for people. */
export type TokenizerErrorCode =
  /** A vocab.json or tokenizer.json that is damaged or of another kind. */
  | 'INVALID_VOCABULARY'
  /** A merges.txt that is damaged. */
  | 'INVALID_MERGES'
  /** A settings file with a value that is wrong. */
  | 'INVALID_CONFIG'
  /** A tokenizer of a kind that this package is not. */
  | 'UNSUPPORTED'
  /** A file that asks for more work or memory than the limits allow. */
  | 'OVER_BUDGET'
  /** A folder lacks a file that is needed. */
  | 'MISSING_FILE'
  /** A token that the vocabulary has not. */
  | 'UNKNOWN_TOKEN'
  /** An id that the vocabulary has not. */
  | 'UNKNOWN_ID'
  /** Padding was asked for, and there is no token to pad with. */
  | 'NO_PAD_TOKEN'
  /** Padding or truncation to a maximum that is named nowhere. */
  | 'MISSING_MAX_LENGTH'
  /** An option that is wrong. */
  | 'INVALID_OPTION'
  /** An input that is no text, or no list of ids. */
  | 'INVALID_INPUT';

/** What an error is about, where that can be named. */
export interface TokenizerErrorDetails {
  /** The value that was refused. */
  readonly value?: unknown;
  /** The file, tensor or option it was found in. */
  readonly place?: string;
  /** The error behind this one. */
  readonly cause?: unknown;
}

const marker = Symbol.for('@qlora-js/tokenize-gpt2/TokenizerError');

/** The one error class of this package. The message names the file or option, the value and what to do about it. */
export class TokenizerError extends Error {
  /** Which kind of error it is. */
  readonly code: TokenizerErrorCode;
  /** The value that was refused, where there is one. */
  readonly value: unknown;
  /** The file, tensor or option the value was found in, where there is one. */
  readonly place: string | undefined;

  constructor(code: TokenizerErrorCode, message: string, details: TokenizerErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'TokenizerError';
    this.code = code;
    this.value = details.value;
    this.place = details.place;
    Object.defineProperty(this, marker, { value: true });
  }

  /** Like `instanceof`, but also true for an error of the package's other build (ESM, CJS). */
  static isInstance(value: unknown): value is TokenizerError {
    return value instanceof Error && (value as unknown as Record<symbol, unknown>)[marker] === true;
  }
}

/** A value as an error message shows it: like JSON, cut to a length that keeps the message readable. */
export function quote(value: unknown): string {
  return shown(value, { longest: 80 });
}

/** A budget for what one call reads, whose refusals are `TokenizerError`s. */
export function readBudget(limits?: ReadLimits): ReadBudget {
  return new ReadBudget(limits, ({ code, message, place, value }) => {
    if (code === 'INVALID_LIMIT') return new TokenizerError('INVALID_OPTION', message, { value });
    if (code === 'OVER_BUDGET') return new TokenizerError('OVER_BUDGET', message, { value });
    return new TokenizerError(place === 'vocab.json' ? 'INVALID_VOCABULARY' : 'INVALID_CONFIG', message, { value });
  });
}
