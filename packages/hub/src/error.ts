/** What went wrong, for programs; the message says it for people. */
export type HubErrorCode =
  | 'INVALID_ARGUMENT'
  | 'NOT_FOUND'
  | 'CORRUPT_FILE'
  | 'TRUNCATED_FILE'
  | 'UNSUPPORTED'
  | 'UNSAFE_PICKLE'
  | 'UNKNOWN_TENSOR'
  | 'FILE_CHANGED'
  | 'NOT_WRITABLE'
  | 'OFFLINE'
  | 'NETWORK'
  | 'HTTP_STATUS'
  | 'UNAUTHORIZED'
  | 'GATED'
  | 'RATE_LIMITED'
  | 'NO_RANGE_REQUESTS'
  | 'CHECKSUM';

export interface HubErrorDetails {
  /** File, URL or repository the error is about, without credentials. */
  place?: string;
  /** The value that was refused. */
  value?: unknown;
  cause?: unknown;
}

const marker = Symbol.for('@qlora-js/hub/HubError');

/** The one error class of this package. The message names the place, the problem and what to do about it. */
export class HubError extends Error {
  readonly code: HubErrorCode;
  readonly place: string | undefined;
  readonly value: unknown;

  constructor(code: HubErrorCode, message: string, details: HubErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'HubError';
    this.code = code;
    this.place = details.place;
    this.value = details.value;
    Object.defineProperty(this, marker, { value: true });
  }

  /** Like `instanceof`, but also true for an error made by the package's other builds (ESM, CJS, `./node`). */
  static isInstance(value: unknown): value is HubError {
    return value instanceof Error && (value as unknown as Record<symbol, unknown>)[marker] === true;
  }
}

/** Shows a value from a file in an error: quoted, escaped, and cut so that a hostile file can't flood a log. */
export function shown(value: unknown): string {
  const text = typeof value === 'bigint' ? `${value}` : (JSON.stringify(value) ?? String(value));
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}
