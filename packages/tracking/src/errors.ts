export type TrackingErrorCode =
  | 'NOT_STARTED'
  | 'ALREADY_STARTED'
  | 'INVALID_METRIC'
  | 'INVALID_STEP'
  | 'INVALID_OPTION'
  | 'READ_FAILED'
  | 'WRITE_FAILED'
  | 'TIMEOUT'
  | 'OVERLOADED';

/** What a tracker could not do. `code` says which rule or step failed, `value` holds what it failed on. */
export class TrackingError extends Error {
  override readonly name = 'TrackingError';

  constructor(
    readonly code: TrackingErrorCode,
    message: string,
    readonly value?: unknown,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
