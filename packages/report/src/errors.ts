/** What went wrong, for programs; the message says it for people. */
export type ReportErrorCode =
  /** Results that are not what a report is made of. */
  | 'INVALID_RESULTS'
  /** Runs that cannot be compared. */
  | 'NOT_COMPARABLE'
  /** A file that could not be read. */
  | 'READ_FAILED'
  /** A file that could not be written. */
  | 'WRITE_FAILED';

/** Where and on what an error arose, and what to do about it. */
export interface ReportErrorDetails {
  /** File or part of the results the error is about. */
  place?: string;
  /** The value that was refused. */
  value?: unknown;
  /** What to do about it; the end of the message. */
  remedy?: string;
  /** The error that led to this one. */
  cause?: unknown;
}

const marker = Symbol.for('@qlora-js/report/ReportError');

/** The one error class of this package. The message names the place, the problem and what to do about it. */
export class ReportError extends Error {
  /** What went wrong, for programs. */
  readonly code: ReportErrorCode;
  /** File or part of the results the error is about. */
  readonly place: string | undefined;
  /** The value that was refused. */
  readonly value: unknown;
  /** What to do about it. */
  readonly remedy: string | undefined;

  /** @param problem what is wrong, without place and remedy, which the message puts around it */
  constructor(code: ReportErrorCode, problem: string, details: ReportErrorDetails = {}) {
    const { place, value, remedy, cause } = details;
    const text = `${place === undefined ? '' : `${place}: `}${problem}.${remedy === undefined ? '' : ` ${remedy}.`}`;
    super(text, cause === undefined ? undefined : { cause });
    this.name = 'ReportError';
    this.code = code;
    this.place = place;
    this.value = value;
    this.remedy = remedy;
    Object.defineProperty(this, marker, { value: true });
  }

  /** Like `instanceof`, but also true for an error made by the package's other builds (ESM, CJS, `./node`). */
  static isInstance(value: unknown): value is ReportError {
    return value instanceof Error && (value as unknown as Record<symbol, unknown>)[marker] === true;
  }
}
