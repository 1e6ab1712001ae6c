import { ReadBudget, type ReadLimits } from '@qlora-js/read-budget';

/** What went wrong, for programs; the message says it for people. */
export type HubErrorCode =
  | 'INVALID_ARGUMENT'
  | 'NOT_FOUND'
  | 'CORRUPT_FILE'
  | 'TRUNCATED_FILE'
  | 'UNSUPPORTED'
  | 'UNSAFE_PICKLE'
  | 'OVER_BUDGET'
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

/** What an error is about, beside its message. */
export interface HubErrorDetails {
  /** File, URL or repository the error is about, without credentials. */
  place?: string;
  /** The value that was refused. */
  value?: unknown;
  /** The error behind it. */
  cause?: unknown;
}

const marker = Symbol.for('@qlora-js/hub/HubError');

/** The one error class of this package. The message names the place, the problem and what to do about it. */
export class HubError extends Error {
  /** What went wrong. */
  readonly code: HubErrorCode;
  /** File, URL or repository it is about, without credentials. */
  readonly place: string | undefined;
  /** The value that was refused. */
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

/** A budget for what one call reads, whose refusals are `HubError`s. */
export function readBudget(limits: ReadLimits | undefined): ReadBudget {
  return new ReadBudget(limits, ({ code, message, place, value }) => {
    const codes = {
      OVER_BUDGET: 'OVER_BUDGET',
      MALFORMED_JSON: 'CORRUPT_FILE',
      INVALID_LIMIT: 'INVALID_ARGUMENT',
    } as const;
    return new HubError(codes[code], message, { place, value });
  });
}
