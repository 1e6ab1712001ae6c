/** What went wrong, for code that branches on it; the message says where, with which value, and what to do. */
export type TokenizerErrorCode =
  | 'invalid-vocabulary'
  | 'invalid-merges'
  | 'invalid-config'
  | 'unsupported'
  | 'missing-file'
  | 'unknown-token'
  | 'unknown-id'
  | 'no-pad-token'
  | 'missing-max-length'
  | 'invalid-option'
  | 'invalid-input';

/** Every error this package throws. */
export class TokenizerError extends Error {
  readonly code: TokenizerErrorCode;
  /** The offending value, where there is one. */
  readonly value: unknown;

  constructor(code: TokenizerErrorCode, message: string, options: { value?: unknown; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'TokenizerError';
    this.code = code;
    this.value = options.value;
  }
}

const longestQuote = 80;

/** A value as an error message shows it: its JSON, cut to a length that keeps the message readable. */
export function quote(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'bigint' || value === undefined) return String(value);
  const text = typeof value === 'function' ? 'a function' : JSON.stringify(value);
  return text.length > longestQuote ? `${text.slice(0, longestQuote)}…` : text;
}
