/** What an error carries beside its message. */
export interface UsageErrorDetails {
  /** The value that was refused. */
  readonly value?: unknown;
  /** What can be done about it. */
  readonly remedy?: string;
  /** The error behind this one. */
  readonly cause?: unknown;
}

const marker = Symbol.for('@qlora-js/cli/UsageError');

/** A mistake in flags, in a run's file or in what they name: shown without a stack. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  /** The one kind there is. */
  readonly code: 'USAGE';
  /** The value that was refused. */
  readonly value: unknown;
  /** What can be done about it. */
  readonly remedy: string | undefined;

  constructor(code: 'USAGE', message: string, details: UsageErrorDetails = {}) {
    const { value, remedy, cause } = details;
    super(remedy === undefined ? message : `${message}; ${remedy}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.value = value;
    this.remedy = remedy;
    Object.defineProperty(this, marker, { value: true });
  }

  /** Like `instanceof`, but also true for an error made by another copy of this package. */
  static isInstance(value: unknown): value is UsageError {
    return value instanceof Error && (value as unknown as Record<symbol, unknown>)[marker] === true;
  }
}
