import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';

export interface DropoutOptions {
  /** Probability of dropping an element, in [0, 1). */
  readonly rate: number;
  /** int32 [4 + rows] from `randomState`, with a number for each row of what is dropped out. */
  readonly random: Tensor1D;
  /** Number of this dropout within the model; two places with one number would draw equal masks. */
  readonly site: number;
}

export interface DropoutInputs extends Record<string, Tensor | undefined> {
  x: Tensor;
  random: Tensor;
}

export interface DropoutAddInputs extends DropoutInputs {
  residual: Tensor;
}

export interface DropoutAttributes {
  readonly rate: number;
  readonly site: number;
}

/** A tensor as rows: its last axis are a row's columns. */
export function rowsOf(shape: readonly number[]): { readonly rows: number; readonly columns: number } {
  const columns = shape.at(-1) ?? 1;
  return { rows: shape.slice(0, -1).reduce((product, length) => product * length, 1), columns };
}
