import type { Tensor, Tensor1D, Variable } from '@tensorflow/tfjs-core';
import type { AdamwAttributes } from '../adamw';
import { int32Count, type Nearest } from '../blockwise8bit';

/** Elements that share an absmax; bitsandbytes has this one for optimisers. */
export const BLOCKSIZE = 256;

/**
 * Both moments of one parameter of `size` elements in 8 bits, one after the other in an int32 variable, since a GPU binds
 * few buffers at a time: the codes of m (signed map) and of v (unsigned map), bytes in ceil(size / 4) elements each, then
 * the bits of m's and of v's float32 absmax, ceil(size / 256) elements each.
 */
export type Adamw8bitState = Variable;

/** Elements at which the parts of a state begin, and how many there are. */
export interface Adamw8bitLayout {
  readonly m: number;
  readonly v: number;
  readonly mAbsmax: number;
  readonly vAbsmax: number;
  readonly length: number;
}

export function adamw8bitLayout(size: number): Adamw8bitLayout {
  const codes = int32Count(size);
  const blocks = Math.ceil(size / BLOCKSIZE);
  return { m: 0, v: codes, mAbsmax: 2 * codes, vAbsmax: 2 * codes + blocks, length: 2 * (codes + blocks) };
}

/**
 * Whose steps are taken: those of bitsandbytes' CUDA kernel (csrc/kernels.cu kOptimizerStatic8bit2StateBlockwise) or of
 * its CPU path (backends/cpu/ops.py _optimizer_update_8bit_blockwise_cpu, csrc/cpu_ops.cpp).
 *
 * |                             | CUDA                              | CPU                            | here                       |
 * | --------------------------- | --------------------------------- | ------------------------------ | -------------------------- |
 * | code of a moment            | nearest level                     | of 65,536 even steps, then     | as asked                   |
 * |                             |                                   | nearest level; 0 gives 2.1e-5  |                            |
 * | tie between two levels      | the one its binary search stands  | the lower                      | the lower                  |
 * |                             | on: either                        |                                |                            |
 * | negative m nearest to zero  | first level below zero            | as any other                   | as asked                   |
 * | weight decay                | after the step                    | before the step                | as asked                   |
 * | gradient NaN or infinite    | both moments 0, parameter kept    | parameter, moments and the     | as CUDA                    |
 * |                             |                                   | block's absmax become NaN      |                            |
 * | block whose moments are 0   | codes 255 and 0, absmax 0         | codes 0, absmax 0              | any codes, absmax 0: all   |
 * |                             |                                   |                                | of them stand for 0        |
 */
export type Adamw8bitArithmetic = 'cuda' | 'cpu';

/** How a moment finds its code in either. */
export const NEAREST: Readonly<Record<Adamw8bitArithmetic, Nearest>> = { cuda: 'exact', cpu: 'grid' };

/** The maps both moments are quantised with, on the device: made by `adamw8bitMaps`, shared by all parameters. */
export interface Adamw8bitMaps {
  /** float32 [1024]: signed levels, unsigned levels, and the bounds between each, padded to 256. */
  readonly tables: Tensor1D;
  /** Whose steps the tables are for. */
  readonly arithmetic: Adamw8bitArithmetic;
}

/** One parameter of a step. */
export interface Adamw8bitEntry {
  readonly parameter: Variable;
  /** The parameter's shape, float32. */
  readonly gradient: Tensor;
  readonly state: Adamw8bitState;
  readonly attributes: AdamwAttributes;
}

export interface Adamw8bitAttributes {
  readonly arithmetic: Adamw8bitArithmetic;
  readonly entries: readonly AdamwAttributes[];
}

/** Tensors of an entry; those of entry i are inputs under their name and i. */
export const ENTRY_INPUTS = ['parameter', 'gradient', 'state'] as const;

export type EntryOf<T> = Record<(typeof ENTRY_INPUTS)[number], T>;

export interface Adamw8bitInputs extends Record<string, Tensor | undefined> {
  tables: Tensor;
  step: Tensor;
}

/** New parameters and states under the names of the inputs; nothing where that was done in place. */
export type Adamw8bitOutputs = Partial<Record<string, Tensor>>;

export function entryOf<T>(inputs: Readonly<Record<string, T | undefined>>, index: number): EntryOf<T> {
  return Object.fromEntries(ENTRY_INPUTS.map((name) => [name, inputs[`${name}${index}`]])) as EntryOf<T>;
}
