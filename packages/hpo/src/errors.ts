/** What went wrong, for programs; the message says it for people. */
export type HpoErrorCode =
  | 'INVALID_ARGUMENT'
  | 'INVALID_DISTRIBUTION'
  | 'INCOMPATIBLE_DISTRIBUTION'
  | 'INVALID_VALUE'
  | 'DUPLICATED_STUDY'
  | 'UNKNOWN_STUDY'
  | 'UNKNOWN_TRIAL'
  | 'FINISHED_TRIAL'
  | 'NO_BEST_TRIAL'
  | 'NESTED_OPTIMIZE'
  | 'NOT_OPTIMIZING'
  | 'UNSUPPORTED'
  | 'CORRUPT_JOURNAL'
  | 'JOURNAL_NOT_WRITABLE'
  | 'JOURNAL_NOT_READABLE'
  | 'LOCK_LOST'
  | 'CORRUPT_STORAGE'
  | 'STORAGE_UNAVAILABLE'
  | 'NEWER_SCHEMA';

/** What an HpoError tells besides its code and its message. */
export interface HpoErrorDetails {
  /** File and line, study or parameter the error is about. */
  place?: string;
  /** The value that was refused. */
  value?: unknown;
  /** What to do about it: a sentence, which the message ends with. */
  remedy?: string;
  /** The error that led to this one. */
  cause?: unknown;
}

const marker = Symbol.for('@qlora-js/hpo/HpoError');
const prunedMarker = Symbol.for('@qlora-js/hpo/TrialPruned');

/** The one error class of this package. The message names the place, the problem and what to do about it. */
export class HpoError extends Error {
  /** What went wrong, for programs. */
  readonly code: HpoErrorCode;
  /** File and line, study or parameter the error is about. */
  readonly place: string | undefined;
  /** The value that was refused. */
  readonly value: unknown;
  /** What to do about it; the message ends with it. */
  readonly remedy: string | undefined;

  constructor(code: HpoErrorCode, problem: string, details: HpoErrorDetails = {}) {
    const { place, value, remedy, cause } = details;
    super(remedy === undefined ? problem : `${problem}. ${remedy}`, cause === undefined ? undefined : { cause });
    this.name = 'HpoError';
    this.code = code;
    this.place = place;
    this.value = value;
    this.remedy = remedy;
    Object.defineProperty(this, marker, { value: true });
  }

  /** Like `instanceof`, but also true for an error made by the package's other builds (ESM, CJS, `./node`). */
  static isInstance(value: unknown): value is HpoError {
    return value instanceof Error && (value as unknown as Record<symbol, unknown>)[marker] === true;
  }
}

/**
 * Thrown by an objective to say that its trial was cut short on the pruner's advice: the trial ends PRUNED, its value
 * is the last one reported, and the study goes on. Source: optuna.exceptions.TrialPruned.
 */
export class TrialPruned extends Error {
  constructor(message = 'the trial was pruned') {
    super(message);
    this.name = 'TrialPruned';
    Object.defineProperty(this, prunedMarker, { value: true });
  }

  /** Like `instanceof`, but also true for one made by the package's other builds. */
  static isInstance(value: unknown): value is TrialPruned {
    return value instanceof Error && (value as unknown as Record<symbol, unknown>)[prunedMarker] === true;
  }
}

/** Shows a value in an error: quoted, escaped, and cut so that a hostile file can't flood a log. */
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
