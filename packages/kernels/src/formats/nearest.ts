import { codeBounds } from './codes';

/**
 * How a scaled value finds its code.
 * - `exact`: the nearest level, as bitsandbytes' `default` and CUDA backends.
 * - `grid`: first rounded to one of 65,536 even steps from -1 to 1, then the nearest level, as bitsandbytes' CPU
 *   library (csrc/cpu_ops.cpp quantize_cpu_impl). Levels below 1/65,535 are out of its reach; zero lies between two
 *   steps and becomes 2.1e-5. What files written on a CPU agree with.
 */
export type Nearest = 'exact' | 'grid';

/** Steps of the grid, ends included. */
export const GRID_STEPS = 65_536;

/** The step of a scaled value in [-1, 1], in float32 as csrc/cpu_ops.cpp norm_to_lut_index. */
export function gridStep(scaled: number): number {
  const { fround } = Math;
  return Math.trunc(fround(fround(fround(fround(scaled + 1) * 0.5) * (GRID_STEPS - 1)) + 0.5));
}

/** The value a step stands for: csrc/cpu_ops.cpp build_quantize_lut. */
function gridValue(step: number): number {
  const { fround } = Math;
  return fround(-1 + fround(fround(2 * step) / (GRID_STEPS - 1)));
}

/**
 * Bounds between the codes of an ascending table: a value's code is the number of bounds strictly below it. For `grid`
 * they are bounds on the step (halves, so that "strictly below" needs no care), for `exact` on the scaled value.
 *
 * @returns float32 [code.length - 1]
 */
export function blockwiseBounds(code: ArrayLike<number>, nearest: Nearest): Float32Array {
  const { bounds } = codeBounds(code);
  if (nearest === 'exact') return bounds;
  const onSteps = new Float32Array(bounds.length);
  let step = 0;
  for (let i = 0; i < bounds.length; i++) {
    while (step < GRID_STEPS && gridValue(step) <= bounds[i]!) step++;
    onSteps[i] = step - 0.5;
  }
  return onSteps;
}
