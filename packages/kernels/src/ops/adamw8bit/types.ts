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

/** The maps both moments are quantised with, on the device: made by `adamw8bitMaps`, shared by all parameters. */
export interface Adamw8bitMaps {
  /** float32 [1024]: signed levels, unsigned levels, and the bounds between each, padded to 256. */
  readonly tables: Tensor1D;
  readonly nearest: Nearest;
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
  readonly nearest: Nearest;
  readonly entries: readonly AdamwAttributes[];
}

/** Tensors of an entry; those of entry i are inputs under their name and i. */
export const ENTRY_INPUTS = ['parameter', 'gradient', 'state'] as const;

export type EntryOf<T> = Record<(typeof ENTRY_INPUTS)[number], T>;

export interface Adamw8bitInputs extends Record<string, Tensor | undefined> {
  tables: Tensor;
  step: Tensor;
}

export function entryOf<T>(inputs: Readonly<Record<string, T | undefined>>, index: number): EntryOf<T> {
  return Object.fromEntries(ENTRY_INPUTS.map((name) => [name, inputs[`${name}${index}`]])) as EntryOf<T>;
}
