export { Gpt2Error, type Gpt2ErrorCode } from './errors';
export { parseGpt2Config, type Gpt2Config } from './config/config';
export {
  layoutTokens,
  tokenBatch,
  tokenBatchOf,
  type BatchLayout,
  type PaddedBatch,
  type TokenBatch,
  type TokenBatchOptions,
} from './batch/token-batch';
export { packSequences } from './batch/pack-sequences';
export { IGNORED_LABEL, nextTokenIds, nextTokenLabels, type NextTokenLabelsOptions } from './batch/next-token-labels';
export { type Attend, type TokenRows } from './model/attend';
export { GPT2Model, type ActivationDtype, type BackboneWeights } from './model/backbone';
export { type BlockLayers } from './model/block';
export { KeyValueCache } from './model/key-value-cache';
export { GPT2ForSequenceClassification } from './model/sequence-classification';
export { GPT2LMHeadModel } from './model/language-model';
export { type GeneratedToken, type GenerateOptions, type Generation, type Prompts } from './generate/generate';
export {
  loadGpt2,
  loadGpt2ForSequenceClassification,
  loadGpt2LMHeadModel,
  loadReportLines,
  readGpt2Config,
  type LoadClassifierOptions,
  type LoadHeadOptions,
  type LoadOptions,
  type LoadReport,
} from './weights/load';
