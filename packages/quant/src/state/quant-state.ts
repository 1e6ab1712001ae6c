import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import type {
  NestedQuantState,
  QuantizedTensor as QuantizedTensorParts,
  QuantState as QuantStateParts,
  QuantType,
} from '@qlora-js/kernels';
import { sizeOf, type WeightDtype } from '../types';

/** What it takes to read a tensor's 4-bit codes: bitsandbytes functional.py QuantState, its tensors owned. */
export class QuantState implements QuantStateParts {
  readonly absmax: Tensor;
  readonly code: Tensor1D;
  readonly shape: readonly number[];
  readonly blocksize: number;
  readonly quantType: QuantType;
  readonly dtype: WeightDtype;
  /** Mean of absmax, float32 [1]; undefined without double quantisation. */
  readonly offset: Tensor | undefined;
  readonly state2: NestedQuantState | undefined;

  constructor(parts: QuantStateParts & { readonly dtype: WeightDtype }) {
    this.absmax = parts.absmax;
    this.code = parts.code;
    this.shape = parts.shape;
    this.blocksize = parts.blocksize;
    this.quantType = parts.quantType;
    this.dtype = parts.dtype;
    this.offset = parts.offset;
    this.state2 = parts.state2;
  }

  /** Values that the tensor stands for. */
  get size(): number {
    return sizeOf(this.shape);
  }

  /** Bytes of everything but the codes: absmax, nested absmax, both tables, offset. */
  get memoryBytes(): number {
    return this.tensors().reduce((bytes, tensor) => bytes + 4 * tensor.size, 0);
  }

  dispose(): void {
    for (const tensor of this.tensors()) tensor.dispose();
  }

  private tensors(): Tensor[] {
    const { absmax, code, offset, state2 } = this;
    return [absmax, code, offset, state2?.absmax, state2?.code].filter((tensor) => tensor !== undefined);
  }
}

/** A tensor in 4 bits on the device. */
export class QuantizedTensor implements QuantizedTensorParts {
  constructor(
    /** Two codes a byte, the even element in the high nibble; bytes in int32 [ceil(size / 8)]. */
    readonly packed: Tensor1D,
    readonly state: QuantState,
  ) {}

  /** Of the values that it stands for. */
  get shape(): readonly number[] {
    return this.state.shape;
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
