import type { ModelFiles } from '@qlora-js/hub';
import { parseGpt2Config, type Gpt2Config } from '../config/config';
import type { GPT2Model } from '../model/backbone';
import { GPT2ForSequenceClassification } from '../model/sequence-classification';
import { LayerLoader } from './layer-loader';
import {
  loadBackbone,
  loadClassifier,
  readConfig,
  type DecoderFamily,
  type LoadClassifierOptions,
  type Loaded,
  type LoadOptions,
} from './load-model';
import { GPT2_WEIGHTS } from './names';

/** GPT-2 as its weights are read. */
export const GPT2: DecoderFamily<Gpt2Config, GPT2Model> = {
  weights: GPT2_WEIGHTS,
  parseConfig: parseGpt2Config,
  sizes: ({ nLayer, nEmbd }) => ({ layers: nLayer, width: nEmbd }),
  loader: (config, source, options) => new LayerLoader(config, source, options),
};

/** Reads config.json and gives transformers' defaults where keys are missing. */
export function readGpt2Config(files: ModelFiles): Promise<Gpt2Config> {
  return readConfig(GPT2, files);
}

/**
 * A backbone from a checkpoint: float16, bfloat16 or float32, or 4-bit weights as bitsandbytes stores them.
 *
 * @throws Gpt2Error BAD_CONFIG, BAD_CHECKPOINT naming the weight; HubError for files that are missing or damaged
 */
export function loadGpt2(files: ModelFiles, options: LoadOptions<Gpt2Config> = {}): Promise<Loaded<GPT2Model>> {
  return loadBackbone(GPT2, files, options);
}

/**
 * A classifier from a checkpoint. A head of the right size in the checkpoint is taken; otherwise it starts from a
 * normal distribution with config.initializer_range, as transformers does, and the report names it.
 *
 * @throws Gpt2Error BAD_ARGUMENT for labels that are no count; as `loadGpt2`
 */
export function loadGpt2ForSequenceClassification(
  files: ModelFiles,
  options: LoadClassifierOptions<Gpt2Config>,
): Promise<Loaded<GPT2ForSequenceClassification>> {
  return loadClassifier(GPT2, files, options, (backbone, score) => new GPT2ForSequenceClassification(backbone, score));
}
