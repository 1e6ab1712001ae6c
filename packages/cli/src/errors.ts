const marker = Symbol.for('@qlora-js/cli/UsageError');

/** A mistake in flags, in a run's file or in what they name: shown without a stack. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  /** The one kind there is. */
  readonly code = 'USAGE';

  constructor(
    message: string,
    /** The value that was refused. */
    readonly value?: unknown,
  ) {
    super(message);
    Object.defineProperty(this, marker, { value: true });
  }

  /** Like `instanceof`, but also true for an error made by another copy of this package. */
  static isInstance(value: unknown): value is UsageError {
    return value instanceof Error && (value as unknown as Record<symbol, unknown>)[marker] === true;
  }
}
