export type LoraErrorCode = 'BAD_CONFIG' | 'NO_TARGET' | 'BAD_ADAPTER' | 'BAD_ARGUMENT';

/** Every error this package raises; the message names the value, the place and the remedy. */
export class LoraError extends Error {
  override readonly name = 'LoraError';

  constructor(
    readonly code: LoraErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
