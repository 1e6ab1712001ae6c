/** Why something was refused, for the reader to make its own package's error of. */
export interface Refusal {
  /**
   * `OVER_BUDGET`: reading would cost more work or memory than is allowed. `MALFORMED_JSON`: the text is no JSON, nests
   * too deep or repeats a key. `INVALID_LIMIT`: a limit that the caller set is no number above 0.
   */
  readonly code: 'OVER_BUDGET' | 'MALFORMED_JSON' | 'INVALID_LIMIT';
  /** The whole text: place, problem, remedy. */
  readonly message: string;
  /** The document, as the reader calls it. */
  readonly place: string;
  /** The number or key that was refused. */
  readonly value: unknown;
}

/** Makes an error of a refusal; it is thrown where the refusal happens. */
export type Refuse = (refusal: Refusal) => Error;
