import { tensor1d, tensor2d, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs-core';
import { float32ToFloat16 } from '@qlora-js/hub';
import { HalfTable, Linear, normalValues, tensorFromParts, type LinearLayer } from '@qlora-js/kernels';
import { dequantizeTensors, Linear4bit, QuantError, type QuantizeOptions } from '@qlora-js/quant';
import type { Decoder } from '../model/decoder';
import type { WeightSource } from './source';

export interface WeightLoaderOptions {
  readonly quantization?: QuantizeOptions | null;
  readonly embeddingDtype?: 'float32' | 'float16';
  readonly onWeight?: (done: number, total: number, name: string) => void;
}

/** Sizes of a linear layer. */
export interface LinearShape {
  readonly inFeatures: number;
  readonly outFeatures: number;
}

const LARGEST_FLOAT16 = 65_504;
/** Values of a table that are decoded at a time: 4 MB. */
const PART = 2 ** 20;

/** Reads weights by name, tensor by tensor, so that no more than one dense weight is in memory at a time. */
export abstract class WeightLoader<Backbone extends Decoder = Decoder> {
  readonly newlyInitialized: string[] = [];
  private readonly made: { dispose(): void }[] = [];
  private done = 0;
  private memory = new Float32Array(0);

  /** @param total weights there are, for progress */
  constructor(
    protected readonly source: WeightSource,
    protected readonly options: WeightLoaderOptions,
    private readonly total: number,
  ) {}

  /** Reads the model without a head. */
  abstract backbone(): Promise<Backbone>;

  /** What `load` makes, or, where it fails, nothing: tensors that were made by then are disposed of. */
  async run<Result>(load: () => Promise<Result>): Promise<Result> {
    try {
      return await load();
    } catch (error) {
      for (const part of this.made) part.dispose();
      if (!QuantError.isInstance(error)) throw error;
      throw this.source.error(`${this.source.place}: ${error.message}`, error);
    }
  }

  /**
   * A head's weight as it is stored, else from a normal distribution of that deviation, as transformers starts one;
   * noted in `newlyInitialized` then. `replaceOtherShape` says whether a stored head of another shape (other labels) is passed
   * over, or is an error.
   */
  async head(
    name: string,
    shape: [number, number],
    options: { readonly seed: number; readonly replaceOtherShape: boolean; readonly initializerRange: number },
  ): Promise<Tensor2D> {
    const { seed, replaceOtherShape, initializerRange } = options;
    const stored = this.source.shape(name);
    if (stored !== undefined && (stored.join() === shape.join() || !replaceOtherShape)) {
      return this.keep(tensor2d(await this.source.dense(name, shape), shape));
    }
    this.newlyInitialized.push(name);
    const values = normalValues(shape[0] * shape[1], { seed, stream: 0 }).map((value) => value * initializerRange);
    return this.keep(tensor2d(values, shape));
  }

  async tokenTable(name: string, shape: [number, number]): Promise<Tensor2D | HalfTable> {
    const { embeddingDtype = 'float32' } = this.options;
    if (embeddingDtype === 'float32') return this.table(name, shape);
    const halves = await this.source.halves(name, shape);
    if (halves !== undefined) {
      this.progress(name);
      return this.keep(new HalfTable(halves, shape));
    }
    const values = await this.tableValues(name, shape);
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    if (largest > LARGEST_FLOAT16) {
      throw this.source.error(
        `${this.source.place}: '${name}' holds ${largest}, which float16 has not; load it with embeddingDtype 'float32'`,
      );
    }
    return this.keep(new HalfTable(float32ToFloat16(values), shape));
  }

  async table(name: string, shape: [number, number]): Promise<Tensor2D> {
    const quantised = await this.source.quantised(name);
    const table =
      quantised === undefined
        ? tensorFromParts(shape, await this.source.denseParts(name, shape, PART))
        : tensor2d(dequantizeTensors(name, quantised, shape), shape);
    this.progress(name);
    return this.keep(table as Tensor2D);
  }

  async vector(name: string, size: number): Promise<Tensor1D> {
    const values = await this.source.dense(name, [size]);
    this.progress(name);
    return this.keep(tensor1d(values));
  }

  /**
   * A linear layer, dense or in 4 bits; layers, and 4-bit blocks as bitsandbytes lays them, run along [out, in].
   *
   * @param dense reads the dense weight [outFeatures, inFeatures], into the memory given where there is any
   */
  async linear(
    name: string,
    { inFeatures, outFeatures }: LinearShape,
    bias: Tensor1D | undefined,
    dense: (weightName: string, scratch: Float32Array | undefined) => Promise<Float32Array>,
  ): Promise<LinearLayer> {
    const weightName = `${name}.weight`;
    const shape: [number, number] = [outFeatures, inFeatures];
    const quantised = await this.source.quantised(weightName);
    const { quantization } = this.options;
    let layer: LinearLayer;
    if (quantised !== undefined) layer = Linear4bit.fromStored(weightName, quantised, shape, bias);
    else {
      // A dense layer keeps the values; 4 bits are made of them, and the next weight may have the memory.
      const weight = await dense(
        weightName,
        quantization === null ? undefined : this.scratch(outFeatures * inFeatures),
      );
      layer =
        quantization === null
          ? new Linear(tensor2d(weight, shape), bias)
          : Linear4bit.fromDense(weight, shape, { ...quantization, name: weightName }, bias);
    }
    this.progress(weightName);
    return this.keep(layer);
  }

  private scratch(size: number): Float32Array {
    if (this.memory.length < size) this.memory = new Float32Array(size);
    return this.memory.subarray(0, size);
  }

  private async tableValues(name: string, shape: [number, number]): Promise<Float32Array> {
    const quantised = await this.source.quantised(name);
    const values =
      quantised === undefined ? await this.source.dense(name, shape) : dequantizeTensors(name, quantised, shape);
    this.progress(name);
    return values;
  }

  private keep<Part extends { dispose(): void }>(part: Part): Part {
    this.made.push(part);
    return part;
  }

  private progress(name: string): void {
    this.options.onWeight?.(++this.done, this.total, name);
  }
}
