import type { ReadLimits } from '@qlora-js/read-budget';
import type { AddedToken } from './added-tokens';
import type { DecodeOptions } from './decoder';
import type { Pipeline } from './pipeline';
import type { LengthOptions, PaddedColumns } from './padding';
import type { SpecialTokenName } from './settings';

/** The files of a tokenizer, as text or already parsed. */
export interface TokenizerFiles {
  /** vocab.json: ids by token. */
  vocab: string | Record<string, number>;
  /** merges.txt; or the pairs of a tokenizer.json. */
  merges: string | readonly (string | readonly [string, string])[];
  tokenizerConfig?: unknown;
  specialTokensMap?: unknown;
  /** added_tokens.json: ids by token. */
  addedTokens?: unknown;
  /** How texts are cut into words, and words into tokens; GPT-2's by default. */
  pipeline?: Pipeline;
}

export interface TokenizerOptions {
  /** Words whose ids are kept, about 50 bytes each; 0 for none. Default 32768. */
  cacheWords?: number;
  /** Told of what is odd but no error, each kind once. Default console.warn. */
  onWarning?: (message: string) => void;
  /** What reading the files may cost in memory and work, besides what their length allows. */
  limits?: ReadLimits;
}

export interface EncodeOptions extends Pick<LengthOptions, 'truncation' | 'maxLength'> {
  /** Put bos and eos tokens where the configuration's add_bos_token and add_eos_token ask for them. Default true. */
  addSpecialTokens?: boolean;
}

export interface BatchOptions extends LengthOptions {
  addSpecialTokens?: boolean;
  /** Default true. */
  returnAttentionMask?: boolean;
}

/** Tokenized texts: one row a text. */
export interface EncodedBatch extends PaddedColumns {
  /** Texts that were cut. */
  truncatedTexts: number;
  /** Rows longer than `modelMaxLength`, which the model can't take. */
  overlongTexts: number;
}

export interface TextOptions extends DecodeOptions {
  /** Take the space before English punctuation out, as transformers 4 did; it was in the text. Default false. */
  cleanUpTokenizationSpaces?: boolean;
}

/** New special tokens by role; those without a role under `extraSpecialTokens`. */
export type NewSpecialTokens = Partial<Record<SpecialTokenName, string>> & { extraSpecialTokens?: readonly string[] };

/** A token to add: its text alone, or with flags (all false, and `normalized` the opposite of `special`). */
export type NewToken = string | (Partial<AddedToken> & { content: string });
