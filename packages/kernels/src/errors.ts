/** What went wrong, for code that reacts to it. */
export type KernelErrorCode =
  | 'BAD_SHAPE'
  | 'BAD_DTYPE'
  | 'BAD_ARGUMENT'
  | 'NON_FINITE'
  | 'NO_BACKEND'
  | 'NO_FEATURE'
  | 'OUT_OF_MEMORY'
  | 'DEVICE_LOST'
  | 'DISPOSED';

/** Every error this package raises; the message names the value, the place and the remedy. */
export class KernelError extends Error {
  override readonly name = 'KernelError';

  constructor(
    readonly code: KernelErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
