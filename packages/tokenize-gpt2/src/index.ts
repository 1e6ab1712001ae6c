export type { AddedToken } from './added-tokens';
export { byteAlphabet } from './byte-alphabet';
export type { DecodeOptions, DecodeStream } from './decoder';
export { TokenizerError, type TokenizerErrorCode } from './errors';
export type { FolderFiles } from './load';
export type {
  BatchOptions,
  EncodedBatch,
  EncodeOptions,
  NewSpecialTokens,
  NewToken,
  TextOptions,
  TokenizerFiles,
  TokenizerOptions,
} from './options';
export type {
  EncodedColumns,
  EncodedExample,
  LengthOptions,
  PaddedColumns,
  Padding,
  PadOptions,
  Truncation,
} from './padding';
export type { Pipeline, WordPattern } from './pipeline';
export type { Side, SpecialTokenName } from './settings';
export { GPT2Tokenizer } from './tokenizer';
