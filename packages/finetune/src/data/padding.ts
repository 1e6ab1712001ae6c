/** How texts become batches. */
export interface PaddingSettings {
  /** Tokens a text is cut to. */
  readonly maxLength: number;
  /** Pad a batch to its longest row, or to maxLength. */
  readonly padding: 'longest' | 'max_length';
  /** The side that is padded. */
  readonly paddingSide: 'right' | 'left';
}
