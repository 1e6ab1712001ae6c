import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import type { QuantType } from '../formats/codes';

/** How an absmax quantised to 8 bits comes back: code[absmax]·nested absmax + offset. */
export interface NestedAbsmax {
  /** float32 [ceil(blocks / blocksize)]. */
  readonly absmax: Tensor1D;
  /** float32 [256]. */
  readonly code: Tensor1D;
  /** float32 [1]. */
  readonly offset: Tensor;
  /** Values of absmax that share a nested absmax; 256 in bitsandbytes. */
  readonly blocksize: number;
}

/** A tensor in 4 bits: what `quantize4bit` gives, with what it takes to read it. */
export interface Quantized4bit {
  /** Two codes a byte, bytes in int32. */
  readonly packed: Tensor;
  /** float32 [blocks]; with `nested`, a byte a block in int32 [ceil(blocks / 4)]. */
  readonly absmax: Tensor;
  /** What the 16 codes stand for, float32 [16]; by default the table of `quantType`. */
  readonly code?: Tensor1D;
  readonly nested?: NestedAbsmax;
  readonly shape: readonly number[];
  readonly blocksize: number;
  readonly quantType: QuantType;
}

/** The weight of a linear layer in 4 bits, [N, K] = [outFeatures, inFeatures] as bitsandbytes stores it. */
export interface Weight4bit extends Quantized4bit {
  readonly code: Tensor1D;
  readonly shape: readonly [N: number, K: number];
}

/** The tensors a 4-bit tensor is read from, as inputs of an op. */
export interface Packed4bitInputs extends Record<string, Tensor | undefined> {
  packed: Tensor;
  absmax: Tensor;
  code: Tensor;
  nestedAbsmax: Tensor | undefined;
  nestedCode: Tensor | undefined;
  offset: Tensor | undefined;
}

export interface Packed4bitAttributes {
  readonly shape: readonly number[];
  readonly blocksize: number;
  /** 0 where absmax is float32. */
  readonly nestedBlocksize: number;
}

/** The tensors of a weight among an op's inputs. */
export function weightOf({
  packed,
  absmax,
  code,
  nestedAbsmax,
  nestedCode,
  offset,
}: Packed4bitInputs): Packed4bitInputs {
  return { packed, absmax, code, nestedAbsmax, nestedCode, offset };
}

/** Their names. */
export const WEIGHT_INPUTS = ['packed', 'absmax', 'code', 'nestedAbsmax', 'nestedCode', 'offset'] as const;

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** Blocks of the flattened values; the last may be short. */
export function blockCount({ shape, blocksize }: Packed4bitAttributes): number {
  return Math.ceil(sizeOf(shape) / blocksize);
}
