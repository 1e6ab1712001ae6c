import type { BaseMiniOptions } from '@qlora-js/base-mini';
import type { ModelFiles } from '@qlora-js/hub';
import type { GPT2Tokenizer } from '@qlora-js/tokenize-gpt2';
import type { PaddingSettings } from '../data/padding';
import { FinetuneError } from '../errors';
import { familyOf } from './families';
import type { ModelFamily } from './family';

/** A base model's files and what has to be known of it before its weights are read. */
export interface BaseModel {
  /** What adapter configs call it: a folder, a hub id, or the embedded base's package. */
  readonly id: string;
  /** Commit, tag or branch on the hub, where one was asked for. */
  readonly revision: string | undefined;
  /** Its files. */
  readonly files: ModelFiles;
  /** What kind of model it is. */
  readonly family: ModelFamily;
  /** Its tokenizer, which pads. */
  readonly tokenizer: GPT2Tokenizer;
  /** The token that fills rows up. */
  readonly padTokenId: number;
}

/** Name of the embedded base in adapter configs. */
export const EMBEDDED_BASE = '@qlora-js/base-mini';

/** The base that comes with the packages: small, for trying things out and for machines without a GPU. */
export async function embeddedBase(options: BaseMiniOptions = {}): Promise<ModelFiles> {
  const { baseMiniFiles } = await import('@qlora-js/base-mini');
  return baseMiniFiles(options);
}

/** How a base is opened. */
export interface OpenBaseOptions {
  /** What adapter configs call it; default the files' own id. */
  readonly id?: string;
  /** Commit, tag or branch that the files are of. */
  readonly revision?: string;
  /** Tokens that texts will have, and the side that is padded. */
  readonly padding: Pick<PaddingSettings, 'maxLength' | 'paddingSide'>;
}

/**
 * Reads what there is to know of a base before its weights: its kind, its tokenizer, whether texts of `maxLength` fit.
 * @throws FinetuneError `UNSUPPORTED_MODEL`, `BAD_ARGUMENT`; HubError for files that are missing or damaged
 */
export async function openBase(files: ModelFiles, options: OpenBaseOptions): Promise<BaseModel> {
  const { id = files.id, revision } = options;
  const { maxLength, paddingSide } = options.padding;
  const family = await familyOf(files);
  const { positions, vocabulary } = await family.shape(files);
  if (maxLength > positions) {
    throw new FinetuneError('BAD_ARGUMENT', `maxLength ${maxLength} is over the ${positions} positions of ${id}`, {
      value: maxLength,
      remedy: `choose ${positions} or less`,
    });
  }
  const tokenizer = await family.tokenizer(files);
  if (tokenizer.length > vocabulary) {
    throw new FinetuneError(
      'UNSUPPORTED_MODEL',
      `the vocabulary of ${id} has ${tokenizer.length} tokens, but its embedding has ${vocabulary} rows: tokenizer and model do not belong together`,
    );
  }
  tokenizer.padToken ??= tokenizer.eosToken;
  tokenizer.paddingSide = paddingSide;
  const { padTokenId } = tokenizer;
  if (padTokenId === undefined)
    throw new FinetuneError('UNSUPPORTED_MODEL', `${id} has neither a padding nor an end-of-text token`);
  return { id, revision, files, family, tokenizer, padTokenId };
}

/** A base that is open already, or its files, or the embedded one. */
export async function baseOf(
  base: ModelFiles | BaseModel | undefined,
  padding: OpenBaseOptions['padding'],
): Promise<BaseModel> {
  if (base === undefined) return openBase(await embeddedBase(), { id: EMBEDDED_BASE, padding });
  return 'family' in base ? base : openBase(base, { padding });
}
