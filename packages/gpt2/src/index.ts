export { Gpt2Error, type FamilyError, type Gpt2ErrorCode } from './errors';
export { ConfigFields, isTokenId } from './config/fields';
export { parseGpt2Config, type Gpt2Config } from './config/config';
export { layoutRows, type BatchLayout, type LayoutOptions, type TextRow } from './batch/layout';
export { type PaddedBatch } from './batch/padded-batch';
export {
  packSequences,
  tokenBatch,
  tokenBatchOf,
  trainingContext,
  type NumberedBatch,
  type TokenBatch,
  type TrainingContext,
} from './batch/token-batch';
export {
  IGNORED_LABEL,
  nextTokenIds,
  nextTokenLabels,
  type LabelledRow,
  type NextTokenLabelsOptions,
} from './batch/next-token-labels';
export { type Attend, type TokenRows } from './model/attend';
export { GPT2Model, type BackboneWeights } from './model/backbone';
export {
  afterRows,
  Decoder,
  ModuleList,
  Table,
  type ActivationDtype,
  type BlockInput,
  type BlockRows,
  type DecoderBlock,
  type DecoderConfig,
} from './model/decoder';
export { type BlockLayers } from './model/block';
export { KeyValueCache } from './model/key-value-cache';
export { GPT2ForSequenceClassification } from './model/sequence-classification';
export { SequenceClassification } from './model/classification-head';
export { CausalLanguageModel } from './model/language-model-head';
export { GPT2LMHeadModel } from './model/language-model';
export {
  type FinishReason,
  generate,
  type GeneratedToken,
  type GenerateOptions,
  type Generation,
  type LanguageModel,
  type Prompts,
} from './generate/generate';
export { QUANT_PART } from './weights/names';
export type { StoredNames, WeightScheme } from './weights/scheme';
export { WeightSource } from './weights/source';
export { transposed } from './weights/transpose';
export { WeightLoader, type LinearShape, type WeightLoaderOptions } from './weights/weight-loader';
export { loadGpt2, loadGpt2ForSequenceClassification, readGpt2Config } from './weights/load';
export { loadGpt2LMHeadModel } from './weights/load-language-model';
export {
  loadBackbone,
  loadClassifier,
  loadLanguageModel,
  readConfig,
  loadReportLines,
  type DecoderFamily,
  type LoadClassifierOptions,
  type Loaded,
  type LoadHeadOptions,
  type LoadOptions,
  type LoadReport,
} from './weights/load-model';
