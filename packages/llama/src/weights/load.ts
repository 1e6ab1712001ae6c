import { WeightSource, type LoadReport } from '@qlora-js/gpt2';
import { openCheckpoint, type ModelFiles } from '@qlora-js/hub';
import type { QuantizeOptions } from '@qlora-js/quant';
import { parseLlamaConfig, type LlamaConfig } from '../config/config';
import { LlamaError } from '../errors';
import type { LlamaModel } from '../model/backbone';
import { LlamaForCausalLM } from '../model/causal-language-model';
import { LlamaForSequenceClassification } from '../model/sequence-classification';
import { LayerLoader } from './layer-loader';
import { LLAMA_WEIGHTS } from './names';

export interface LoadOptions {
  /**
   * How the blocks' weights are kept: 4-bit options (the default is NF4, blocks of 64, double quantisation), or null
   * for float32. Weights that are stored in 4 bits already are taken as they are.
   */
  readonly quantization?: QuantizeOptions | null;
  /**
   * How the token embedding is kept: float16 takes half the memory. A tied language-model head multiplies by it and
   * needs float32, the default.
   */
  readonly embeddingDtype?: 'float32' | 'float16';
  /** Replaces values of config.json. */
  readonly config?: Partial<LlamaConfig>;
  /** Called after each weight, for progress. */
  readonly onWeight?: (done: number, total: number, name: string) => void;
}

export interface LoadHeadOptions extends LoadOptions {
  /** Seed of a head that the checkpoint does not have. */
  readonly seed?: number;
}

export interface LoadClassifierOptions extends LoadHeadOptions {
  readonly numLabels: number;
}

/** Reads config.json and gives transformers' defaults where keys are missing. */
export async function readLlamaConfig(files: ModelFiles): Promise<LlamaConfig> {
  if (!(await files.has('config.json'))) {
    throw new LlamaError('BAD_CONFIG', `${files.id} has no config.json: it is no model's folder`);
  }
  return parseLlamaConfig(await files.json('config.json'), `${files.id}/config.json`);
}

/**
 * A backbone from a checkpoint: float16, bfloat16 or float32, 4-bit weights as bitsandbytes stores them, or a GGUF file.
 *
 * @throws LlamaError BAD_CONFIG, BAD_CHECKPOINT naming the weight; HubError for files that are missing or damaged
 */
export function loadLlama(
  files: ModelFiles,
  options: LoadOptions = {},
): Promise<{ model: LlamaModel; report: LoadReport }> {
  return load(files, options, async (_loader, backbone) => backbone);
}

/**
 * A classifier from a checkpoint. A head of the right size in the checkpoint is taken; otherwise it starts from a
 * normal distribution with config.initializer_range, as transformers does, and the report names it.
 */
export async function loadLlamaForSequenceClassification(
  files: ModelFiles,
  options: LoadClassifierOptions,
): Promise<{ model: LlamaForSequenceClassification; report: LoadReport }> {
  const { numLabels, seed = 0 } = options;
  if (!Number.isInteger(numLabels) || numLabels < 2) {
    throw new LlamaError('BAD_ARGUMENT', `numLabels is ${numLabels}, but a classifier needs at least 2 labels`);
  }
  return load(files, options, async (loader, backbone) => {
    const { hiddenSize, initializerRange } = backbone.config;
    const head = { seed, replaceOtherShape: true, initializerRange };
    return new LlamaForSequenceClassification(
      backbone,
      await loader.head('score.weight', [numLabels, hiddenSize], head),
    );
  });
}

/**
 * A language model from a checkpoint. Its head is the token embedding where config.json says tie_word_embeddings, also
 * where the file holds a copy of it.
 */
export async function loadLlamaForCausalLM(
  files: ModelFiles,
  options: LoadHeadOptions = {},
): Promise<{ model: LlamaForCausalLM; report: LoadReport }> {
  const { seed = 0 } = options;
  return load(files, options, async (loader, backbone) => {
    const { tieWordEmbeddings, vocabSize, hiddenSize, initializerRange } = backbone.config;
    if (tieWordEmbeddings && options.embeddingDtype === 'float16') {
      throw new LlamaError(
        'BAD_ARGUMENT',
        "embeddingDtype is 'float16', but this model's head is its embedding, which has to be float32",
      );
    }
    if (tieWordEmbeddings) return new LlamaForCausalLM(backbone);
    const head = { seed, replaceOtherShape: false, initializerRange };
    return new LlamaForCausalLM(backbone, await loader.head('lm_head.weight', [vocabSize, hiddenSize], head));
  });
}

async function load<Model>(
  files: ModelFiles,
  options: LoadOptions,
  addHead: (loader: LayerLoader, backbone: LlamaModel) => Promise<Model>,
): Promise<{ model: Model; report: LoadReport }> {
  const config = { ...(await readLlamaConfig(files)), ...options.config };
  const source = new WeightSource(await openCheckpoint(files), files.id, LLAMA_WEIGHTS);
  const loader = new LayerLoader(config, source, options);
  source.checkPlaces(config.numHiddenLayers);
  const model = await loader.run(async () => addHead(loader, await loader.backbone()));
  const { unexpected, unusedHeads, masks } = source;
  return { model, report: { newlyInitialized: loader.newlyInitialized, unexpected, unusedHeads, masks } };
}
