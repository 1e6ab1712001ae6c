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

const longestQuote = 80;

/** A value as an error message shows it: its JSON, cut to a length that keeps the message readable. */
export function quote(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : (json(value) ?? String(value));
  return text.length > longestQuote ? `${text.slice(0, longestQuote)}…` : text;
}

/** undefined for what has no JSON: functions, symbols, objects that hold themselves. */
function json(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}
