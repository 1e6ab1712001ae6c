/** What went wrong, for code that reacts to it. */
export type TrainerErrorCode =
  | 'BAD_ARGUMENT'
  | 'NON_FINITE'
  | 'BAD_CHECKPOINT'
  | 'UNWRITABLE'
  | 'NO_DATA'
  | 'ONE_LABEL'
  | 'STOPPED'
  | 'REPLICA_FAILED'
  | 'DEVICE_LOST';

/** What an error carries beside its message. */
export interface TrainerErrorDetails extends ErrorOptions {
  /** The value that was refused, where there is a single one. */
  readonly value?: unknown;
  /** What to do about it; the message ends with it. */
  readonly remedy?: string;
}

const marker = Symbol.for('@qlora-js/trainer/TrainerError');

/** Every error this package raises; the message names the value, the place and the remedy. */
export class TrainerError extends Error {
  override readonly name = 'TrainerError';
  /** The value that was refused, where there is a single one. */
  readonly value: unknown;
  /** What to do about it. */
  readonly remedy: string | undefined;

  constructor(
    readonly code: TrainerErrorCode,
    message: string,
    { value, remedy, ...options }: TrainerErrorDetails = {},
  ) {
    super(remedy === undefined ? message : `${message}; ${remedy}`, options);
    this.value = value;
    this.remedy = remedy;
    Object.defineProperty(this, marker, { value: true });
  }

  /** As `instanceof`, and true for an error of the package's other builds (ESM, CJS, `./node`) too. */
  static isInstance(value: unknown): value is TrainerError {
    return value instanceof Error && (value as unknown as Record<symbol, unknown>)[marker] === true;
  }
}
