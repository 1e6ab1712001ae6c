import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import {
  dequantize4bit,
  LinearLayer,
  loraMatmul4bit,
  matmul4bit,
  Parameter,
  type ForwardContext,
  type LinearAdditions,
} from '@qlora-js/kernels';
import { QuantError } from '../errors';
import { quantize4bit } from '../quantize/quantize';
import { quantizeArray } from '../quantize/quantize-array';
import { checkStoredShape } from '../serialization/dequantize-tensors';
import { quantStateFromTensors, quantStateToTensors } from '../serialization/state-dict';
import type { QuantizedTensor } from '../state/quant-state';
import { toDevice, toHost } from '../state/transfer';
import type { QuantizeOptions, StoredTensorLike } from '../types';

/** A 4-bit weight as a parameter: counts as the weights it stands for, never trained, disposed of whole. */
export class Parameter4bit extends Parameter {
  constructor(readonly quantized: QuantizedTensor) {
    super(quantized.packed, quantized.state.size);
  }

  override get shape(): number[] {
    return [...this.quantized.shape];
  }

  override setRequiresGrad(requiresGrad: boolean): void {
    if (!requiresGrad) return;
    throw new QuantError(
      'FROZEN',
      'a 4-bit weight takes no gradient: train an adapter beside it, or load the layer dense',
    );
  }

  override assign(_tensor: Tensor): void {
    throw new QuantError('FROZEN', 'a 4-bit weight takes no other values: make a new layer with withWeight');
  }

  override dispose(): void {
    super.dispose();
    this.quantized.state.dispose();
  }
}

/** y = x·Wᵀ + b with W in 4 bits: bitsandbytes nn/modules.py Linear4bit. Takes over the tensors it is given. */
export class Linear4bit extends LinearLayer {
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly weight: Parameter4bit;
  readonly bias: Parameter | undefined;

  /**
   * @param weight [outFeatures, inFeatures]
   * @param bias [outFeatures]
   */
  constructor(weight: QuantizedTensor, bias?: Tensor1D) {
    super();
    const [outFeatures, inFeatures, ...rest] = weight.shape;
    if (outFeatures === undefined || inFeatures === undefined || rest.length > 0) {
      throw new QuantError(
        'BAD_ARGUMENT',
        `a linear layer's weight has shape [${weight.shape.join(', ')}], but two dimensions are needed`,
      );
    }
    if (bias !== undefined && bias.size !== outFeatures) {
      throw new QuantError(
        'BAD_ARGUMENT',
        `the bias has ${bias.size} elements, but the weight has ${outFeatures} rows`,
      );
    }
    this.outFeatures = outFeatures;
    this.inFeatures = inFeatures;
    this.weight = new Parameter4bit(weight);
    this.setParameter('weight', this.weight);
    if (bias !== undefined) {
      this.bias = new Parameter(bias);
      this.setParameter('bias', this.bias);
    }
  }

  /** Quantises a dense weight [outFeatures, inFeatures]; a Conv1D weight is transposed first. */
  static fromDense(
    values: Float32Array,
    shape: readonly [outFeatures: number, inFeatures: number],
    options: QuantizeOptions = {},
    bias?: Tensor1D,
  ): Linear4bit {
    return new Linear4bit(toDevice(quantizeArray(values, shape, options)), bias);
  }

  /** Takes a weight that is stored in 4 bits, as bitsandbytes does. */
  static fromStored(
    name: string,
    tensors: Iterable<StoredTensorLike>,
    shape: readonly [outFeatures: number, inFeatures: number],
    bias?: Tensor1D,
  ): Linear4bit {
    const arrays = quantStateFromTensors(name, tensors);
    checkStoredShape(name, arrays.shape, shape);
    return new Linear4bit(toDevice(arrays), bias);
  }

  /** Weights that the layer stands for, as PEFT counts them: those of the matrix and the bias. */
  get logicalParameters(): number {
    return this.weight.logicalSize + (this.bias?.logicalSize ?? 0);
  }

  /** x [rows, inFeatures] -> [rows, outFeatures] */
  forward(x: Tensor2D, _context: ForwardContext): Tensor2D {
    return matmul4bit(x, this.weight.quantized, this.bias === undefined ? {} : { bias: this.bias.value as Tensor1D });
  }

  override forwardWith(x: Tensor2D, context: ForwardContext, additions: LinearAdditions): Tensor2D {
    const { lora } = additions;
    if (lora === undefined) return super.forwardWith(x, context, additions);
    return loraMatmul4bit(x, this.weight.quantized, {
      ...additions,
      lora,
      ...(this.bias === undefined ? {} : { bias: this.bias.value as Tensor1D }),
    });
  }

  /** What the 4 bits stand for [outFeatures, inFeatures], newly made; the caller disposes of it. */
  denseWeight(): Tensor2D {
    return dequantize4bit(this.weight.quantized) as Tensor2D;
  }

  /** The weight's tensors as bitsandbytes stores them, under the weight's name; the bias is not among them. */
  async storedWeight(name: string): Promise<StoredTensorLike[]> {
    return quantStateToTensors(name, await toHost(this.weight.quantized));
  }

  /** Quantises another weight the way this one is. */
  withWeight(weight: Tensor2D): Linear4bit {
    const { quantType, blocksize, state2, dtype } = this.weight.quantized.state;
    const quantized = quantize4bit(weight, { quantType, blocksize, doubleQuant: state2 !== undefined, dtype });
    const layer = new Linear4bit(quantized, this.bias?.value.clone() as Tensor1D | undefined);
    layer.storedLayout = this.storedLayout;
    return layer;
  }
}
