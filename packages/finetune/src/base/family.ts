import type { CausalLanguageModel, SequenceClassification } from '@qlora-js/gpt2';
import type { ModelFiles } from '@qlora-js/hub';
import type { Device } from '@qlora-js/kernels';
import type { GPT2Tokenizer } from '@qlora-js/tokenize-gpt2';
import type { QuantizationSettings } from '../model/settings';

/** A classifier's model as the stages know it. */
export type ClassifierModel = SequenceClassification;

/** How a model is read. */
export interface LoadModel {
  /** Seed of a head that the checkpoint does not have. */
  readonly seed: number;
  /** How the weights are kept; null for float32. */
  readonly quantization: QuantizationSettings | null;
  /** Where it will compute. */
  readonly device: Device;
  /** Called after each weight. */
  readonly onWeight?: (done: number, total: number, name: string) => void;
}

/** How a classifier is read. */
export interface LoadClassifier extends LoadModel {
  /** Labels of its head. */
  readonly numLabels: number;
}

/** What reading a model did besides. */
export interface LoadedModel<Model> {
  /** The model. */
  readonly model: Model;
  /** Weights that started anew, and stored ones that have no place in the model. */
  readonly report: { readonly newlyInitialized: readonly string[]; readonly unexpected: readonly string[] };
}

/** One kind of model, by the `model_type` of its config.json. */
export interface ModelFamily {
  /** `model_type` in config.json. */
  readonly modelType: string;
  /** transformers' class of the classifier. */
  readonly classifierClass: string;
  /** transformers' class of the language model. */
  readonly languageModelClass: string;
  /** Layers that get adapters where nobody names others. */
  readonly targetModules: readonly string[] | 'all-linear';
  /** What has to be known before weights are read. */
  shape(files: ModelFiles): Promise<{ readonly positions: number; readonly vocabulary: number }>;
  /** Reads the tokenizer. */
  tokenizer(files: ModelFiles): Promise<GPT2Tokenizer>;
  /** Reads the weights under a head for labels. */
  classifier(files: ModelFiles, options: LoadClassifier): Promise<LoadedModel<ClassifierModel>>;
  /** Reads the weights under a head that scores the vocabulary. */
  languageModel(files: ModelFiles, options: LoadModel): Promise<LoadedModel<CausalLanguageModel>>;
}
