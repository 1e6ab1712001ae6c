/** What went wrong, for code that reacts to it. */
export type QuantErrorCode =
  /** An option, a shape or a size that does not fit. */
  | 'BAD_ARGUMENT'
  /** NaN or infinity among the values. */
  | 'NON_FINITE'
  /** Stored tensors that are missing, cut short or say impossible things. */
  | 'BAD_STATE'
  /** A 4-bit weight was asked to take a gradient or other values. */
  | 'FROZEN';

/** Every error this package raises; the message names the value, the tensor and the remedy. */
export class QuantError extends Error {
  override readonly name = 'QuantError';

  constructor(
    readonly code: QuantErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
