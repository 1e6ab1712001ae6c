import { ReadBudget, type ReadLimits, shown } from '@qlora-js/read-budget';

/** What went wrong, for code that branches on it; the message says where, with which value, and what to do. */
export type TokenizerErrorCode =
  | 'invalid-vocabulary'
  | 'invalid-merges'
  | 'invalid-config'
  | 'unsupported'
  | 'over-budget'
  | 'missing-file'
  | 'unknown-token'
  | 'unknown-id'
  | 'no-pad-token'
  | 'missing-max-length'
  | 'invalid-option'
  | 'invalid-input';

const marker = Symbol.for('@qlora-js/tokenize-gpt2/TokenizerError');

/** The one error class of this package. */
export class TokenizerError extends Error {
  readonly code: TokenizerErrorCode;
  /** The offending value, where there is one. */
  readonly value: unknown;

  constructor(code: TokenizerErrorCode, message: string, options: { value?: unknown; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'TokenizerError';
    this.code = code;
    this.value = options.value;
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
    if (code === 'INVALID_LIMIT') return new TokenizerError('invalid-option', message, { value });
    if (code === 'OVER_BUDGET') return new TokenizerError('over-budget', message, { value });
    return new TokenizerError(place === 'vocab.json' ? 'invalid-vocabulary' : 'invalid-config', message, { value });
  });
}
