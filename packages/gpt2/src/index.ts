export { Gpt2Error, type Gpt2ErrorCode } from './errors';
export { parseGpt2Config, type Gpt2Config } from './config/config';
export { tokenBatch, type PaddedBatch, type TokenBatch, type TokenBatchOptions } from './batch/token-batch';
export { GPT2Model, type BackboneWeights, type BlockLayers } from './model/backbone';
export { GPT2ForSequenceClassification } from './model/sequence-classification';
export {
  loadGpt2,
  loadGpt2ForSequenceClassification,
  readGpt2Config,
  type LoadClassifierOptions,
  type LoadOptions,
  type LoadReport,
} from './weights/load';
