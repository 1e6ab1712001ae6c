/** What went wrong, for programs; the message says it for people. */
export type HpoErrorCode =
  | 'invalid-argument'
  | 'invalid-distribution'
  | 'incompatible-distribution'
  | 'invalid-value'
  | 'duplicated-study'
  | 'unknown-study'
  | 'unknown-trial'
  | 'finished-trial'
  | 'no-best-trial'
  | 'nested-optimize'
  | 'not-optimizing'
  | 'unsupported'
  | 'corrupt-journal'
  | 'journal-not-writable'
  | 'journal-not-readable'
  | 'lock-lost';

export interface HpoErrorDetails {
  /** File and line, study or parameter the error is about. */
  place?: string;
  /** The value that was refused. */
  value?: unknown;
  cause?: unknown;
}

const marker = Symbol.for('@qlora-js/hpo/HpoError');
const prunedMarker = Symbol.for('@qlora-js/hpo/TrialPruned');

/** The one error class of this package. The message names the place, the problem and what to do about it. */
export class HpoError extends Error {
  readonly code: HpoErrorCode;
  readonly place: string | undefined;
  readonly value: unknown;

  constructor(code: HpoErrorCode, message: string, details: HpoErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'HpoError';
    this.code = code;
    this.place = details.place;
    this.value = details.value;
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
