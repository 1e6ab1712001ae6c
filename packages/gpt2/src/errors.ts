export type Gpt2ErrorCode = 'BAD_CONFIG' | 'BAD_CHECKPOINT' | 'BAD_BATCH' | 'BAD_ARGUMENT' | 'NON_FINITE';

/** Every error this package raises; the message names the value, the place and the remedy. */
export class Gpt2Error extends Error {
  override readonly name = 'Gpt2Error';

  constructor(
    readonly code: Gpt2ErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
