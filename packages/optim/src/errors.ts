export type OptimErrorCode = 'BAD_ARGUMENT' | 'BAD_STATE' | 'MISSING_GRADIENT' | 'DISPOSED';

/** Every error this package raises; the message names the value, the place and the remedy. */
export class OptimError extends Error {
  override readonly name = 'OptimError';

  constructor(
    readonly code: OptimErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
