import type { Tensor, Tensor1D, Variable } from '@tensorflow/tfjs-core';
import type { AdamwAttributes } from '../adamw';
import type { Nearest } from '../blockwise8bit';

/** Elements that share an absmax; bitsandbytes has this one for optimisers. */
export const BLOCKSIZE = 256;

/** Both moments of one parameter of `size` elements in 8 bits. */
export interface Adamw8bitState {
  /** Codes of the signed map: bytes in int32, [ceil(size / 4)]. */
  readonly m: Variable;
  /** Codes of the unsigned map: bytes in int32, [ceil(size / 4)]. */
  readonly v: Variable;
  /** float32 [ceil(size / 256)] */
  readonly mAbsmax: Variable;
  /** float32 [ceil(size / 256)] */
  readonly vAbsmax: Variable;
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
export const ENTRY_INPUTS = ['parameter', 'gradient', 'm', 'v', 'mAbsmax', 'vAbsmax'] as const;

export type EntryOf<T> = Record<(typeof ENTRY_INPUTS)[number], T>;

export interface Adamw8bitInputs extends Record<string, Tensor | undefined> {
  tables: Tensor;
  step: Tensor;
}

export function entryOf<T>(inputs: Readonly<Record<string, T | undefined>>, index: number): EntryOf<T> {
  return Object.fromEntries(ENTRY_INPUTS.map((name) => [name, inputs[`${name}${index}`]])) as EntryOf<T>;
}
