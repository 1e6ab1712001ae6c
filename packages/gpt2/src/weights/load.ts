import { openCheckpoint, type ModelFiles } from '@qlora-js/hub';
import type { QuantizeOptions } from '@qlora-js/quant';
import { parseGpt2Config, type Gpt2Config } from '../config/config';
import { Gpt2Error } from '../errors';
import type { GPT2Model } from '../model/backbone';
import { GPT2LMHeadModel } from '../model/language-model';
import { GPT2ForSequenceClassification } from '../model/sequence-classification';
import { LayerLoader } from './layer-loader';
import { GPT2_WEIGHTS } from './names';
import { WeightSource } from './source';

export interface LoadOptions {
  /**
   * How the blocks' weights are kept: 4-bit options (the default is NF4, blocks of 64, double quantisation), or null
   * for float32. Weights that are stored in 4 bits already are taken as they are.
   */
  readonly quantization?: QuantizeOptions | null;
  /**
   * How the token embedding is kept: float16 takes half the memory, exact where the checkpoint has float16. A tied
   * language-model head multiplies by it and needs float32, the default.
   */
  readonly embeddingDtype?: 'float32' | 'float16';
  /** Replaces values of config.json, such as dropout rates. */
  readonly config?: Partial<Gpt2Config>;
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

/** What loading did besides the model. */
export interface LoadReport {
  /** Weights that started anew because the checkpoint lacks them. */
  readonly newlyInitialized: readonly string[];
  /** Stored tensors that have no place in the model. */
  readonly unexpected: readonly string[];
  /** Stored heads that were not read: another task's, or a copy of the embedding, which the model shares. */
  readonly unusedHeads: readonly string[];
  /** Stored causal masks, which the model makes itself. */
  readonly masks: readonly string[];
}

/** The report as lines for people, one a kind of tensor; none where every tensor was read and none is new. */
export function loadReportLines(report: LoadReport): string[] {
  const shortened = (names: readonly string[]): string =>
    names.slice(0, 3).join(', ') + (names.length > 3 ? ` and ${names.length - 3} more` : '');
  const kinds: [string, readonly string[]][] = [
    ['newly initialised, to be trained', report.newlyInitialized],
    ['heads not read', report.unusedHeads],
    ['causal masks not read', report.masks],
    ['left out of the checkpoint, as the model has no place for them', report.unexpected],
  ];
  return kinds.filter(([, names]) => names.length > 0).map(([kind, names]) => `${kind}: ${shortened(names)}`);
}

/** Reads config.json and gives transformers' defaults where keys are missing. */
export async function readGpt2Config(files: ModelFiles): Promise<Gpt2Config> {
  if (!(await files.has('config.json'))) {
    throw new Gpt2Error('BAD_CONFIG', `${files.id} has no config.json: it is no model's folder`);
  }
  return parseGpt2Config(await files.json('config.json'), `${files.id}/config.json`);
}

/**
 * A backbone from a checkpoint: float16, bfloat16 or float32, or 4-bit weights as bitsandbytes stores them.
 *
 * @throws Gpt2Error BAD_CONFIG, BAD_CHECKPOINT naming the weight; HubError for files that are missing or damaged
 */
export function loadGpt2(
  files: ModelFiles,
  options: LoadOptions = {},
): Promise<{ model: GPT2Model; report: LoadReport }> {
  return load(files, options, async (_loader, backbone) => backbone);
}

/**
 * A classifier from a checkpoint. A head of the right size in the checkpoint is taken; otherwise it starts from a
 * normal distribution with config.initializer_range, as transformers does, and the report names it.
 */
export async function loadGpt2ForSequenceClassification(
  files: ModelFiles,
  options: LoadClassifierOptions,
): Promise<{ model: GPT2ForSequenceClassification; report: LoadReport }> {
  const { numLabels, seed = 0 } = options;
  if (!Number.isInteger(numLabels) || numLabels < 1) {
    throw new Gpt2Error(
      'BAD_ARGUMENT',
      `numLabels is ${numLabels}, but a head needs at least 2 labels, or 1 for a number to be predicted`,
    );
  }
  return load(
    files,
    options,
    async (loader, backbone) =>
      new GPT2ForSequenceClassification(
        backbone,
        await loader.head('score.weight', [numLabels, backbone.config.nEmbd], {
          seed,
          replaceOtherShape: true,
          initializerRange: backbone.config.initializerRange,
        }),
      ),
  );
}

/**
 * A language model from a checkpoint. Its head is the token embedding, also where the file holds a copy of it, unless
 * config.json says tie_word_embeddings false.
 */
export async function loadGpt2LMHeadModel(
  files: ModelFiles,
  options: LoadHeadOptions = {},
): Promise<{ model: GPT2LMHeadModel; report: LoadReport }> {
  const { seed = 0 } = options;
  return load(files, options, async (loader, backbone) => {
    const { tieWordEmbeddings, vocabSize, nEmbd, initializerRange } = backbone.config;
    if (tieWordEmbeddings && options.embeddingDtype === 'float16') {
      throw new Gpt2Error(
        'BAD_ARGUMENT',
        "embeddingDtype is 'float16', but this model's head is its embedding, which has to be float32",
      );
    }
    if (tieWordEmbeddings) return new GPT2LMHeadModel(backbone);
    return new GPT2LMHeadModel(
      backbone,
      await loader.head('lm_head.weight', [vocabSize, nEmbd], { seed, replaceOtherShape: false, initializerRange }),
    );
  });
}

async function load<Model>(
  files: ModelFiles,
  options: LoadOptions,
  addHead: (loader: LayerLoader, backbone: GPT2Model) => Promise<Model>,
): Promise<{ model: Model; report: LoadReport }> {
  const config = { ...(await readGpt2Config(files)), ...options.config };
  const source = new WeightSource(await openCheckpoint(files), files.id, GPT2_WEIGHTS);
  const loader = new LayerLoader(config, source, options);
  source.checkPlaces(config.nLayer);
  const model = await loader.run(async () => addHead(loader, await loader.backbone()));
  const { unexpected, unusedHeads, masks } = source;
  return { model, report: { newlyInitialized: loader.newlyInitialized, unexpected, unusedHeads, masks } };
}
