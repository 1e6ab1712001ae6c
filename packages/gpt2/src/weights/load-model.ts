import type { Tensor2D } from '@tensorflow/tfjs-core';
import { openCheckpoint, type ModelFiles } from '@qlora-js/hub';
import type { QuantizeOptions } from '@qlora-js/quant';
import type { Decoder, DecoderConfig } from '../model/decoder';
import type { WeightScheme } from './scheme';
import { WeightSource } from './source';
import type { WeightLoader } from './weight-loader';

/** How a checkpoint is read. */
export interface LoadOptions<Config> {
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
  readonly config?: Partial<Config>;
  /** Called after each weight, for progress. */
  readonly onWeight?: (done: number, total: number, name: string) => void;
}

/** How a checkpoint is read for a model with a head. */
export interface LoadHeadOptions<Config> extends LoadOptions<Config> {
  /** Seed of a head that the checkpoint does not have. */
  readonly seed?: number;
}

/** How a checkpoint is read for a model with a head of labels. */
export interface LoadClassifierOptions<Config> extends LoadHeadOptions<Config> {
  /** Labels of the head; 1 for a number that is predicted. */
  readonly numLabels: number;
}

/** A model, and what loading it did besides. */
export interface Loaded<Model> {
  readonly model: Model;
  readonly report: LoadReport;
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

/** What reading a checkpoint needs of a config. */
interface FamilyConfig extends DecoderConfig {
  readonly tieWordEmbeddings: boolean;
  readonly initializerRange: number;
}

/** A family of decoders, as checkpoints of it are read. */
export interface DecoderFamily<Config extends FamilyConfig, Backbone extends Decoder> {
  readonly weights: WeightScheme;
  /** Reads a parsed config.json; errors name the place. */
  parseConfig(json: unknown, place: string): Config;
  /** Blocks that a config has, and columns of their rows. */
  sizes(config: Config): { readonly layers: number; readonly width: number };
  loader(config: Config, source: WeightSource, options: LoadOptions<Config>): WeightLoader<Backbone>;
}

/** Reads config.json and gives transformers' defaults where keys are missing. */
export async function readConfig<Config extends FamilyConfig, Backbone extends Decoder>(
  family: DecoderFamily<Config, Backbone>,
  files: ModelFiles,
): Promise<Config> {
  if (!(await files.has('config.json'))) {
    throw family.weights.error('BAD_CONFIG', `${files.id} has no config.json: it is no model's folder`);
  }
  return family.parseConfig(await files.json('config.json'), `${files.id}/config.json`);
}

/** A model without a head. */
export function loadBackbone<Config extends FamilyConfig, Backbone extends Decoder>(
  family: DecoderFamily<Config, Backbone>,
  files: ModelFiles,
  options: LoadOptions<Config>,
): Promise<Loaded<Backbone>> {
  return load(family, files, options, async (_loader, backbone) => backbone);
}

/**
 * A model with a head of labels. One of the right size in the checkpoint is taken; otherwise it starts from a normal
 * distribution with config.initializer_range, as transformers does, and the report names it.
 *
 * @param make puts a head [numLabels, width] on the backbone
 */
export async function loadClassifier<Config extends FamilyConfig, Backbone extends Decoder, Model>(
  family: DecoderFamily<Config, Backbone>,
  files: ModelFiles,
  options: LoadClassifierOptions<Config>,
  make: (backbone: Backbone, score: Tensor2D) => Model,
): Promise<Loaded<Model>> {
  const { numLabels, seed = 0 } = options;
  if (!Number.isInteger(numLabels) || numLabels < 1) {
    throw family.weights.error(
      'BAD_ARGUMENT',
      `numLabels is ${numLabels}, but a head needs at least 2 labels, or 1 for a number to be predicted`,
      { value: numLabels },
    );
  }
  return load(family, files, options, async (loader, backbone, config) => {
    const { initializerRange } = config;
    const head = { seed, replaceOtherShape: true, initializerRange };
    return make(backbone, await loader.head('score.weight', [numLabels, family.sizes(config).width], head));
  });
}

/**
 * A language model. Its head is the token embedding where config.json says tie_word_embeddings, also where the file holds
 * a copy of it.
 *
 * @param make puts a head [vocabSize, width] on the backbone; without one it is the embedding
 */
export function loadLanguageModel<Config extends FamilyConfig, Backbone extends Decoder, Model>(
  family: DecoderFamily<Config, Backbone>,
  files: ModelFiles,
  options: LoadHeadOptions<Config>,
  make: (backbone: Backbone, lmHead?: Tensor2D) => Model,
): Promise<Loaded<Model>> {
  const { seed = 0 } = options;
  return load(family, files, options, async (loader, backbone, config) => {
    const { tieWordEmbeddings, vocabSize, initializerRange } = config;
    if (tieWordEmbeddings && options.embeddingDtype === 'float16') {
      throw family.weights.error(
        'BAD_ARGUMENT',
        "embeddingDtype is 'float16', but this model's head is its embedding, which has to be float32",
        { value: options.embeddingDtype },
      );
    }
    if (tieWordEmbeddings) return make(backbone);
    const head = { seed, replaceOtherShape: false, initializerRange };
    return make(backbone, await loader.head('lm_head.weight', [vocabSize, family.sizes(config).width], head));
  });
}

async function load<Config extends FamilyConfig, Backbone extends Decoder, Model>(
  family: DecoderFamily<Config, Backbone>,
  files: ModelFiles,
  options: LoadOptions<Config>,
  addHead: (loader: WeightLoader<Backbone>, backbone: Backbone, config: Config) => Promise<Model>,
): Promise<Loaded<Model>> {
  const config = { ...(await readConfig(family, files)), ...options.config };
  const source = new WeightSource(await openCheckpoint(files), files.id, family.weights);
  const loader = family.loader(config, source, options);
  source.checkPlaces(family.sizes(config).layers);
  const model = await loader.run(async () => addHead(loader, await loader.backbone(), config));
  const { unexpected, unusedHeads, masks } = source;
  return { model, report: { newlyInitialized: loader.newlyInitialized, unexpected, unusedHeads, masks } };
}
