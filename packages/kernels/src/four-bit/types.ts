import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import type { QuantType } from '../formats/codes';

/** How an absmax in 8 bits comes back: code[absmax] · absmax of this + the offset beside it. */
export interface NestedQuantState {
  /** float32 [ceil(blocks / blocksize)]. */
  readonly absmax: Tensor1D;
  /** float32 [256]. */
  readonly code: Tensor1D;
  /** Values of absmax that share one of these; 256 in bitsandbytes. */
  readonly blocksize: number;
}

/** What it takes to read 4-bit codes, by the fields of bitsandbytes' QuantState (functional.py). */
export interface QuantState {
  /** float32 [blocks]; with `state2`, a byte a block in int32 [ceil(blocks / 4)]. */
  readonly absmax: Tensor;
  /** What the 16 codes stand for, float32 [16]. */
  readonly code: Tensor1D;
  readonly shape: readonly number[];
  readonly blocksize: number;
  readonly quantType: QuantType;
  /** Mean of absmax, float32 [1]; with double quantisation. */
  readonly offset?: Tensor | undefined;
  /** With double quantisation. */
  readonly state2?: NestedQuantState | undefined;
}

/** A tensor in 4 bits; the weight of a linear layer is [N, K] = [outFeatures, inFeatures], as bitsandbytes stores it. */
export interface QuantizedTensor {
  /** Two codes a byte, the even element in the high nibble; bytes in int32 [ceil(size / 8)]. */
  readonly packed: Tensor;
  readonly state: QuantState;
}

/** The form that kernels take it in: its tensors as inputs of an op. */
export interface Packed4bitInputs extends Record<string, Tensor | undefined> {
  packed: Tensor;
  absmax: Tensor;
  code: Tensor;
  nestedAbsmax: Tensor | undefined;
  nestedCode: Tensor | undefined;
  offset: Tensor | undefined;
}

/** And its numbers as attributes. */
export interface Packed4bitAttributes {
  readonly shape: readonly number[];
  readonly blocksize: number;
  /** 0 where absmax is float32. */
  readonly nestedBlocksize: number;
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** Blocks of the flattened values; the last may be short. */
export function blockCount({ shape, blocksize }: Packed4bitAttributes): number {
  return Math.ceil(sizeOf(shape) / blocksize);
}
