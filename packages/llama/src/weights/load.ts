import {
  loadBackbone,
  loadClassifier,
  loadLanguageModel,
  readConfig,
  type DecoderFamily,
  type LoadClassifierOptions,
  type Loaded,
  type LoadHeadOptions,
  type LoadOptions,
} from '@qlora-js/gpt2';
import type { ModelFiles } from '@qlora-js/hub';
import { parseLlamaConfig, type LlamaConfig } from '../config/config';
import type { LlamaModel } from '../model/backbone';
import { LlamaForCausalLM } from '../model/causal-language-model';
import { LlamaForSequenceClassification } from '../model/sequence-classification';
import { LayerLoader } from './layer-loader';
import { LLAMA_WEIGHTS } from './names';

const LLAMA: DecoderFamily<LlamaConfig, LlamaModel> = {
  weights: LLAMA_WEIGHTS,
  parseConfig: parseLlamaConfig,
  sizes: ({ numHiddenLayers, hiddenSize }) => ({ layers: numHiddenLayers, width: hiddenSize }),
  loader: (config, source, options) => new LayerLoader(config, source, options),
};

/** Reads config.json and gives transformers' defaults where keys are missing. */
export function readLlamaConfig(files: ModelFiles): Promise<LlamaConfig> {
  return readConfig(LLAMA, files);
}

/**
 * A backbone from a checkpoint: float16, bfloat16 or float32, 4-bit weights as bitsandbytes stores them, or a GGUF file.
 *
 * @throws LlamaError BAD_CONFIG, BAD_CHECKPOINT naming the weight; HubError for files that are missing or damaged
 */
export function loadLlama(files: ModelFiles, options: LoadOptions<LlamaConfig> = {}): Promise<Loaded<LlamaModel>> {
  return loadBackbone(LLAMA, files, options);
}

/**
 * A classifier from a checkpoint. A head of the right size in the checkpoint is taken; otherwise it starts from a
 * normal distribution with config.initializer_range, as transformers does, and the report names it.
 *
 * @throws LlamaError BAD_ARGUMENT for labels that are no count; as `loadLlama`
 */
export function loadLlamaForSequenceClassification(
  files: ModelFiles,
  options: LoadClassifierOptions<LlamaConfig>,
): Promise<Loaded<LlamaForSequenceClassification>> {
  return loadClassifier(
    LLAMA,
    files,
    options,
    (backbone, score) => new LlamaForSequenceClassification(backbone, score),
  );
}

/**
 * A language model from a checkpoint. Its head is the token embedding where config.json says tie_word_embeddings, also
 * where the file holds a copy of it.
 *
 * @throws LlamaError BAD_ARGUMENT for an embedding in float16 that is the head; as `loadLlama`
 */
export function loadLlamaForCausalLM(
  files: ModelFiles,
  options: LoadHeadOptions<LlamaConfig> = {},
): Promise<Loaded<LlamaForCausalLM>> {
  return loadLanguageModel(LLAMA, files, options, (backbone, lmHead) => new LlamaForCausalLM(backbone, lmHead));
}
