export { LlamaError, type LlamaErrorCode } from './errors';
export { parseLlamaConfig, type LlamaConfig } from './config/config';
export { MODEL_TYPES, type ModelType } from './config/families';
export { inverseFrequencies, rotaryTable, type RopeParameters } from './config/rope';
export { type BlockLayers } from './model/block';
export { LlamaModel, type BackboneWeights } from './model/backbone';
export { LlamaForSequenceClassification } from './model/sequence-classification';
export { LlamaForCausalLM } from './model/causal-language-model';
export { loadLlama, loadLlamaForCausalLM, loadLlamaForSequenceClassification, readLlamaConfig } from './weights/load';
