export type { AddedToken } from './added-tokens';
export type { DecodeOptions, DecodeStream } from './decoder';
export { TokenizerError, type TokenizerErrorCode } from './errors';
export type { FolderFiles } from './load';
export type {
  EncodedColumns,
  EncodedExample,
  LengthOptions,
  PaddedColumns,
  Padding,
  PadOptions,
  Truncation,
} from './padding';
export type { Side, SpecialTokenName } from './settings';
export {
  type BatchOptions,
  type EncodedBatch,
  type EncodeOptions,
  GPT2Tokenizer,
  type TokenizerFiles,
  type TokenizerOptions,
} from './tokenizer';
