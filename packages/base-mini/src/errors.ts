export type BaseMiniErrorCode = 'NO_SUCH_FILE' | 'UNREADABLE' | 'OUT_OF_RANGE';

/** Every error this package raises; the message names the file and the remedy. */
export class BaseMiniError extends Error {
  override readonly name = 'BaseMiniError';

  constructor(
    readonly code: BaseMiniErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
