import { tensor1d, tensor2d, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs-core';
import { openCheckpoint, type ModelFiles } from '@qlora-js/hub';
import { LayerNorm, Linear, normalValues, type LinearLayer } from '@qlora-js/kernels';
import { dequantizeTensors, Linear4bit, type QuantizeOptions } from '@qlora-js/quant';
import { parseGpt2Config, type Gpt2Config } from '../config/config';
import { Gpt2Error } from '../errors';
import { GPT2Model, type BlockLayers } from '../model/backbone';
import { GPT2ForSequenceClassification } from '../model/sequence-classification';
import { WeightSource } from './source';

export interface LoadOptions {
  /**
   * How the blocks' weights are kept: 4-bit options (the default is NF4, blocks of 64, double quantisation), or null
   * for float32. Weights that are stored in 4 bits already are taken as they are.
   */
  readonly quantization?: QuantizeOptions | null;
  /** Replaces values of config.json, such as dropout rates. */
  readonly config?: Partial<Gpt2Config>;
  /** Called after each weight, for progress. */
  readonly onWeight?: (done: number, total: number, name: string) => void;
}

export interface LoadClassifierOptions extends LoadOptions {
  readonly numLabels: number;
  /** Seed of a head that the checkpoint does not have. */
  readonly seed?: number;
}

/** What loading did besides the model. */
export interface LoadReport {
  /** Weights that started anew because the checkpoint lacks them. */
  readonly newlyInitialized: readonly string[];
  /** Stored tensors that have no place in the model. */
  readonly unexpected: readonly string[];
}

/** Reads config.json and gives transformers' defaults where keys are missing. */
export async function readGpt2Config(files: ModelFiles): Promise<Gpt2Config> {
  if (!(await files.has('config.json')))
    throw new Gpt2Error('BAD_CONFIG', `${files.id} has no config.json: it is no model's folder`);
  return parseGpt2Config(await files.json('config.json'), `${files.id}/config.json`);
}

/** A backbone from a checkpoint; tensor by tensor, so that no more than one dense weight is in memory at a time. */
export async function loadGpt2(
  files: ModelFiles,
  options: LoadOptions = {},
): Promise<{ model: GPT2Model; report: LoadReport }> {
  const config = { ...(await readGpt2Config(files)), ...options.config };
  const source = new WeightSource(await openCheckpoint(files), files.id);
  return {
    model: await loadBackbone(config, source, options),
    report: { newlyInitialized: [], unexpected: source.unexpected },
  };
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
  if (!Number.isInteger(numLabels) || numLabels < 2) {
    throw new Gpt2Error('BAD_ARGUMENT', `numLabels is ${numLabels}, but a classifier needs at least 2 labels`);
  }
  const config = { ...(await readGpt2Config(files)), ...options.config };
  const source = new WeightSource(await openCheckpoint(files), files.id);
  const backbone = await loadBackbone(config, source, options);
  const shape: [number, number] = [numLabels, config.nEmbd];
  const stored = source.shape('score.weight')?.join() === shape.join();
  const values = stored
    ? await source.dense('score.weight', shape)
    : normalValues(numLabels * config.nEmbd, { seed, stream: 0 }).map((value) => value * config.initializerRange);
  return {
    model: new GPT2ForSequenceClassification(backbone, tensor2d(values, shape)),
    report: { newlyInitialized: stored ? [] : ['score.weight'], unexpected: source.unexpected },
  };
}

async function loadBackbone(config: Gpt2Config, source: WeightSource, options: LoadOptions): Promise<GPT2Model> {
  const loader = new LayerLoader(config, source, options);
  const { vocabSize, nPositions, nEmbd } = config;
  const wte = await loader.table('wte.weight', [vocabSize, nEmbd]);
  const wpe = await loader.table('wpe.weight', [nPositions, nEmbd]);
  const blocks: BlockLayers[] = [];
  for (let layer = 0; layer < config.nLayer; layer++) blocks.push(await loader.block(`h.${layer}`));
  return new GPT2Model(config, { wte, wpe, blocks, lnF: await loader.layerNorm('ln_f') });
}

class LayerLoader {
  private done = 0;

  constructor(
    private readonly config: Gpt2Config,
    private readonly source: WeightSource,
    private readonly options: LoadOptions,
  ) {}

  async block(prefix: string): Promise<BlockLayers> {
    const { nEmbd, nInner } = this.config;
    return {
      ln1: await this.layerNorm(`${prefix}.ln_1`),
      cAttn: await this.linear(`${prefix}.attn.c_attn`, nEmbd, 3 * nEmbd),
      attnProjection: await this.linear(`${prefix}.attn.c_proj`, nEmbd, nEmbd),
      ln2: await this.layerNorm(`${prefix}.ln_2`),
      cFc: await this.linear(`${prefix}.mlp.c_fc`, nEmbd, nInner),
      mlpProjection: await this.linear(`${prefix}.mlp.c_proj`, nInner, nEmbd),
    };
  }

  async layerNorm(name: string): Promise<LayerNorm> {
    const { nEmbd, layerNormEpsilon } = this.config;
    const weight = await this.vector(`${name}.weight`, nEmbd);
    return new LayerNorm(weight, await this.vector(`${name}.bias`, nEmbd), layerNormEpsilon);
  }

  async table(name: string, shape: [number, number]): Promise<Tensor2D> {
    const quantised = await this.source.quantised(name);
    const values =
      quantised === undefined ? await this.source.dense(name, shape) : dequantizeTensors(name, quantised, shape);
    this.progress(name);
    return tensor2d(values, shape);
  }

  private async vector(name: string, size: number): Promise<Tensor1D> {
    const values = await this.source.dense(name, [size]);
    this.progress(name);
    return tensor1d(values);
  }

  /** GPT-2's Conv1D stores [in, out]; layers here, and 4-bit blocks as bitsandbytes lays them, run along [out, in]. */
  private async linear(name: string, inFeatures: number, outFeatures: number): Promise<LinearLayer> {
    const bias = await this.vector(`${name}.bias`, outFeatures);
    const weightName = `${name}.weight`;
    const shape: [number, number] = [outFeatures, inFeatures];
    const quantised = await this.source.quantised(weightName);
    let layer: LinearLayer;
    if (quantised !== undefined) {
      layer = Linear4bit.fromStored(weightName, quantised, shape, bias);
    } else {
      const weight = transposed(
        await this.source.dense(weightName, [inFeatures, outFeatures]),
        inFeatures,
        outFeatures,
      );
      const { quantization } = this.options;
      layer =
        quantization === null
          ? new Linear(tensor2d(weight, shape), bias)
          : Linear4bit.fromDense(weight, shape, { ...quantization, name: `${this.source.place}: ${weightName}` }, bias);
    }
    this.progress(weightName);
    return layer;
  }

  private progress(name: string): void {
    const total = 2 + this.config.nLayer * 12 + 2;
    this.options.onWeight?.(++this.done, total, name);
  }
}

/** [rows, columns] -> [columns, rows], in tiles that stay in the cache. */
function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const TILE = 32;
  const result = new Float32Array(values.length);
  for (let r0 = 0; r0 < rows; r0 += TILE) {
    for (let c0 = 0; c0 < columns; c0 += TILE) {
      const rEnd = Math.min(r0 + TILE, rows);
      const cEnd = Math.min(c0 + TILE, columns);
      for (let c = c0; c < cEnd; c++) for (let r = r0; r < rEnd; r++) result[c * rows + r] = values[r * columns + c]!;
    }
  }
  return result;
}
