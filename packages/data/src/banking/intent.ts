/** The part of the data a phrasing belongs to. */
export type Split = 'train' | 'validation' | 'test';

/**
 * One intent and the phrasings of its queries. A phrasing is a sentence with `[one|another]` alternatives, of which an
 * empty one leaves the words out, and `{slots}` filled from slots.ts. The three families share none: what the test
 * asks for, training has never shown.
 */
export interface Intent extends Readonly<Record<Split, readonly string[]>> {
  readonly name: string;
}
