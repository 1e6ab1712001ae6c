export type TrainerErrorCode =
  'BAD_ARGUMENT' | 'NON_FINITE' | 'BAD_CHECKPOINT' | 'UNWRITABLE' | 'NO_DATA' | 'STOPPED' | 'REPLICA_FAILED';

/** Every error this package raises; the message names the value, the place and the remedy. */
export class TrainerError extends Error {
  override readonly name = 'TrainerError';

  constructor(
    readonly code: TrainerErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
