import { tensor, variable, type Variable } from '@tensorflow/tfjs-core';
import type { NamedVariable } from '../groups/groups';

/** A trained variable that shares its data with no other tensor. */
export function trained(values: Float32Array, shape: readonly number[] = [values.length]): Variable {
  const initial = tensor(values, [...shape]);
  const made = variable(initial, true);
  initial.dispose();
  return made;
}

/** Values that differ from element to element, with no generator behind them. */
export function wave(size: number, phase: number, amplitude = 1): Float32Array {
  return Float32Array.from({ length: size }, (_, i) => amplitude * Math.sin(phase + 1.7 * i + 0.01 * i * i));
}

/** Parameters of these sizes, named p0, p1, ... */
export function parametersOf(sizes: readonly number[]): NamedVariable[] {
  return sizes.map((size, index) => ({ name: `p${index}`, variable: trained(wave(size, index)) }));
}
