import { tensor1d, tensor2d, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs-core';
import { HalfTable, LayerNorm, Linear, normalValues, type LinearLayer } from '@qlora-js/kernels';
import { float32ToFloat16 } from '@qlora-js/hub';
import { dequantizeTensors, Linear4bit, QuantError, type QuantizeOptions } from '@qlora-js/quant';
import type { Gpt2Config } from '../config/config';
import { Gpt2Error } from '../errors';
import { GPT2Model } from '../model/backbone';
import type { BlockLayers } from '../model/block';
import type { WeightSource } from './source';
import { transposed } from './transpose';

export interface LayerLoaderOptions {
  readonly quantization?: QuantizeOptions | null;
  readonly embeddingDtype?: 'float32' | 'float16';
  readonly onWeight?: (done: number, total: number, name: string) => void;
}

/** Weights of a block and its norms and biases, by the names they are read under. */
const WEIGHTS_PER_BLOCK = 12;
const LARGEST_FLOAT16 = 65_504;
/** wte, wpe, ln_f.weight, ln_f.bias */
const WEIGHTS_BESIDE_BLOCKS = 4;

/** Reads weights by name, tensor by tensor, so that no more than one dense weight is in memory at a time. */
export class LayerLoader {
  readonly newlyInitialized: string[] = [];
  private readonly made: { dispose(): void }[] = [];
  private done = 0;

  constructor(
    private readonly config: Gpt2Config,
    private readonly source: WeightSource,
    private readonly options: LayerLoaderOptions,
  ) {}

  /** What `load` makes, or, where it fails, nothing: tensors that were made by then are disposed of. */
  static async run<Result>(loader: LayerLoader, load: (loader: LayerLoader) => Promise<Result>): Promise<Result> {
    try {
      return await load(loader);
    } catch (error) {
      for (const part of loader.made) part.dispose();
      if (!QuantError.isInstance(error)) throw error;
      throw new Gpt2Error('BAD_CHECKPOINT', `${loader.source.place}: ${error.message}`, { cause: error });
    }
  }

  async backbone(): Promise<GPT2Model> {
    const { vocabSize, nPositions, nEmbd, nLayer } = this.config;
    const wte = await this.tokenTable([vocabSize, nEmbd]);
    const wpe = await this.table('wpe.weight', [nPositions, nEmbd]);
    const blocks: BlockLayers[] = [];
    for (let layer = 0; layer < nLayer; layer++) blocks.push(await this.block(`h.${layer}`));
    return new GPT2Model(this.config, { wte, wpe, blocks, lnF: await this.layerNorm('ln_f') });
  }

  /**
   * A head's weight [rows, nEmbd] as it is stored, else from a normal distribution with config.initializer_range, as
   * transformers starts one; noted in `newlyInitialized` then.
   *
   * @param replaceOtherShape whether a stored head of another shape (other labels) is passed over, or is an error
   */
  async head(
    name: string,
    rows: number,
    { seed, replaceOtherShape }: { readonly seed: number; readonly replaceOtherShape: boolean },
  ): Promise<Tensor2D> {
    const { nEmbd, initializerRange } = this.config;
    const shape: [number, number] = [rows, nEmbd];
    const stored = this.source.shape(name);
    if (stored !== undefined && (stored.join() === shape.join() || !replaceOtherShape)) {
      return this.keep(tensor2d(await this.source.dense(name, shape), shape));
    }
    this.newlyInitialized.push(name);
    const values = normalValues(rows * nEmbd, { seed, stream: 0 }).map((value) => value * initializerRange);
    return this.keep(tensor2d(values, shape));
  }

  private async block(prefix: string): Promise<BlockLayers> {
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

  private async layerNorm(name: string): Promise<LayerNorm> {
    const { nEmbd, layerNormEpsilon } = this.config;
    const weight = await this.vector(`${name}.weight`, nEmbd);
    return new LayerNorm(weight, await this.vector(`${name}.bias`, nEmbd), layerNormEpsilon);
  }

  private async tokenTable(shape: [number, number]): Promise<Tensor2D | HalfTable> {
    const { embeddingDtype = 'float32' } = this.options;
    if (embeddingDtype === 'float32') return this.table('wte.weight', shape);
    const halves = await this.source.halves('wte.weight', shape);
    if (halves !== undefined) {
      this.progress('wte.weight');
      return this.keep(new HalfTable(halves, shape));
    }
    const values = await this.tableValues('wte.weight', shape);
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    if (largest > LARGEST_FLOAT16) {
      throw new Gpt2Error(
        'BAD_CHECKPOINT',
        `${this.source.place}: 'wte.weight' holds ${largest}, which float16 has not; load it with embeddingDtype 'float32'`,
      );
    }
    return this.keep(new HalfTable(float32ToFloat16(values), shape));
  }

  private async table(name: string, shape: [number, number]): Promise<Tensor2D> {
    return this.keep(tensor2d(await this.tableValues(name, shape), shape));
  }

  private async tableValues(name: string, shape: [number, number]): Promise<Float32Array> {
    const quantised = await this.source.quantised(name);
    const values =
      quantised === undefined ? await this.source.dense(name, shape) : dequantizeTensors(name, quantised, shape);
    this.progress(name);
    return values;
  }

  private async vector(name: string, size: number): Promise<Tensor1D> {
    const values = await this.source.dense(name, [size]);
    this.progress(name);
    return this.keep(tensor1d(values));
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
          : Linear4bit.fromDense(weight, shape, { ...quantization, name: weightName }, bias);
    }
    layer.storedLayout = 'in-out';
    this.progress(weightName);
    return this.keep(layer);
  }

  private keep<Part extends { dispose(): void }>(part: Part): Part {
    this.made.push(part);
    return part;
  }

  private progress(name: string): void {
    const total = WEIGHTS_BESIDE_BLOCKS + this.config.nLayer * WEIGHTS_PER_BLOCK;
    this.options.onWeight?.(++this.done, total, name);
  }
}
