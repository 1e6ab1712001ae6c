export { LoraError, type LoraErrorCode } from './errors';
export {
  DEFAULT_LORA_CONFIG,
  loraConfig,
  type Bias,
  type InitLoraWeights,
  type LoraConfig,
  type TaskType,
} from './config/lora-config';
export { loraConfigFromJson, loraConfigToJson, PEFT_VERSION } from './config/json';
export { isTarget, rankAndAlpha, type RankAndAlpha } from './config/targets';
export { LoraLinear, type LoraWeights } from './layers/lora-linear';
export { ModulesToSaveLinear } from './layers/modules-to-save';
export { formatTrainableParameters, getPeftModel, PeftModel, type AddAdapterOptions } from './model/peft-model';
export { adapterStateDict, loadAdapterStateDict } from './files/adapter-state';
export {
  ADAPTER_CONFIG,
  ADAPTER_WEIGHTS,
  adapterFiles,
  loadAdapter,
  readAdapterConfig,
  type AdapterFiles,
} from './files/adapter-files';
export { mergeAdapters, mergeAndUnload, MergedModel, type MergeOptions, type OriginalWeights } from './merge/merge';
export { compareMerges, type CompareMergesOptions, type MergeComparisonRow } from './merge/compare';
export { adapterNorms, type AdapterNorm } from './model/adapter-norms';
export { prepareModelForKbitTraining, type KbitTrainingOptions } from './model/prepare';
export { loraPlusGroups, type LoraPlusGroup } from './model/lora-plus';
