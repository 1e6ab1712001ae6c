import { withoutSecrets } from './json-safe';

/** What went wrong, for programs; the message says it for people. */
export type TrackingErrorCode =
  /** A step, metric, name or option that cannot be meant. */
  | 'INVALID_ARGUMENT'
  /** A name in `reportTo` that no tracker has. */
  | 'UNKNOWN_TRACKER'
  /** A tracker needs a key, and neither the environment nor netrc holds one. */
  | 'MISSING_KEY'
  /** A call after `finish`. */
  | 'RUN_FINISHED'
  /** Another process feeds the same tracker from the same run. */
  | 'IN_USE'
  /** A file that could not be read, or that is not what this package writes. */
  | 'READ_FAILED'
  /** A file that could not be written: no permission, a full disk. */
  | 'WRITE_FAILED'
  /** A server that could not be reached, or broke off. */
  | 'UNREACHABLE'
  /** A server that did not answer in time. */
  | 'TIMEOUT'
  /** A server that is in trouble (500 and above) or asks to wait (408, 429). */
  | 'SERVER_ERROR'
  /** A server that answered, but with something that is not its protocol. */
  | 'BAD_ANSWER'
  /** A server that refuses (another 4xx, a redirect, errors of GraphQL): asking again changes nothing. */
  | 'REFUSED'
  /** A file to upload that is gone, or no longer what it was when it was logged. */
  | 'ARTIFACT_CHANGED';

/** Where and on what an error arose, and what to do about it. */
export interface TrackingErrorDetails {
  /** File, line, option or server the error is about, without credentials. */
  place?: string;
  /** The value that was refused. */
  value?: unknown;
  /** What to do about it; the end of the message. */
  remedy?: string;
  /** The error that led to this one. */
  cause?: unknown;
}

const marker = Symbol.for('@qlora-js/tracking/TrackingError');

/** The one error class of this package. The message names the place, the problem and what to do about it. */
export class TrackingError extends Error {
  /** What went wrong, for programs. */
  readonly code: TrackingErrorCode;
  /** File, line, option or server the error is about, without credentials. */
  readonly place: string | undefined;
  /** The value that was refused. */
  readonly value: unknown;
  /** What to do about it. */
  readonly remedy: string | undefined;

  /** @param problem what is wrong, without place and remedy, which the message puts around it */
  constructor(code: TrackingErrorCode, problem: string, details: TrackingErrorDetails = {}) {
    const { place, value, remedy, cause } = details;
    const text = `${place === undefined ? '' : `${place}: `}${problem}.${remedy === undefined ? '' : ` ${remedy}.`}`;
    super(withoutSecrets(text), cause === undefined ? undefined : { cause });
    this.name = 'TrackingError';
    this.code = code;
    this.place = place;
    this.value = value;
    this.remedy = remedy;
    Object.defineProperty(this, marker, { value: true });
  }

  /** Like `instanceof`, but also true for an error made by the package's other builds (ESM, CJS, `./node`). */
  static isInstance(value: unknown): value is TrackingError {
    return value instanceof Error && (value as unknown as Record<symbol, unknown>)[marker] === true;
  }
}

/** Shows a value in an error: quoted, and cut so that a hostile one can't flood a log. */
export function shown(value: unknown): string {
  let text: string;
  if (typeof value === 'number' || typeof value === 'bigint' || value === undefined) text = String(value);
  else if (typeof value === 'function' || typeof value === 'symbol') text = `a ${typeof value}`;
  else {
    try {
      text = JSON.stringify(value) ?? `a ${typeof value}`;
    } catch {
      text = `a ${typeof value} that JSON can't hold`;
    }
  }
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}

/** The reason an error of anyone's gives, on one line, without credentials and without a full stop. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return withoutSecrets(text)
    .slice(0, 400)
    .replaceAll(/\s+/g, ' ')
    .replace(/[.\s]+$/, '');
}
