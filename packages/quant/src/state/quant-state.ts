import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import type { NestedAbsmax, Quantized4bit, QuantType } from '@qlora-js/kernels';
import { sizeOf, type WeightDtype } from '../types';

export interface QuantStateParts {
  /** float32 [blocks]; with `nested`, a byte a block in int32 [ceil(blocks / 4)]. */
  readonly absmax: Tensor;
  /** What the 16 codes stand for, float32 [16]. */
  readonly code: Tensor1D;
  readonly nested?: NestedAbsmax;
  readonly shape: readonly number[];
  readonly blocksize: number;
  readonly quantType: QuantType;
  readonly dtype: WeightDtype;
}

/** What it takes to read a tensor's 4-bit codes: bitsandbytes functional.py QuantState. */
export class QuantState implements QuantStateParts {
  readonly absmax: Tensor;
  readonly code: Tensor1D;
  readonly nested?: NestedAbsmax;
  readonly shape: readonly number[];
  readonly blocksize: number;
  readonly quantType: QuantType;
  readonly dtype: WeightDtype;

  constructor(parts: QuantStateParts) {
    this.absmax = parts.absmax;
    this.code = parts.code;
    if (parts.nested !== undefined) this.nested = parts.nested;
    this.shape = parts.shape;
    this.blocksize = parts.blocksize;
    this.quantType = parts.quantType;
    this.dtype = parts.dtype;
  }

  /** Values that the tensor stands for. */
  get size(): number {
    return sizeOf(this.shape);
  }

  /** Mean of absmax, float32 [1]; undefined without double quantisation. */
  get offset(): Tensor | undefined {
    return this.nested?.offset;
  }

  /** Bytes of everything but the codes: absmax, nested absmax, both tables, offset. */
  get memoryBytes(): number {
    return this.tensors().reduce((bytes, tensor) => bytes + 4 * tensor.size, 0);
  }

  dispose(): void {
    for (const tensor of this.tensors()) tensor.dispose();
  }

  private tensors(): Tensor[] {
    const { absmax, code, nested } = this;
    return nested === undefined ? [absmax, code] : [absmax, code, nested.absmax, nested.code, nested.offset];
  }
}

/** A tensor in 4 bits on the device. */
export class QuantizedTensor implements Quantized4bit {
  constructor(
    /** Two codes a byte, the even element in the high nibble; bytes in int32 [ceil(size / 8)]. */
    readonly packed: Tensor1D,
    readonly state: QuantState,
  ) {}

  get absmax(): Tensor {
    return this.state.absmax;
  }

  get code(): Tensor1D {
    return this.state.code;
  }

  get nested(): NestedAbsmax | undefined {
    return this.state.nested;
  }

  get shape(): readonly number[] {
    return this.state.shape;
  }

  get blocksize(): number {
    return this.state.blocksize;
  }

  get quantType(): QuantType {
    return this.state.quantType;
  }

  /** Bytes of the codes and of everything it takes to read them. */
  get memoryBytes(): number {
    return 4 * this.packed.size + this.state.memoryBytes;
  }

  /** All that memory by value: 4.127 and the tables' share with NF4, blocks of 64 and double quantisation. */
  get bitsPerParameter(): number {
    return (8 * this.memoryBytes) / this.state.size;
  }

  dispose(): void {
    this.packed.dispose();
    this.state.dispose();
  }
}
