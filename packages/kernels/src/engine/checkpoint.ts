import { customGrad, zerosLike, type GradSaveFunc, type Tensor, type Variable } from '@tensorflow/tfjs-core';
import { gradientsWithin } from '../tfjs/tape';

/**
 * Runs `forward(x)` keeping only x, and runs it again on the way back: memory for time, and the same gradients,
 * since dropout masks are functions of the random state and not of the moment (Chen et al. 2016, section 4).
 *
 * @param variables the trained variables that `forward` reads; their gradients flow as usual
 */
export function checkpoint(forward: (x: Tensor) => Tensor, x: Tensor, variables: readonly Variable[]): Tensor {
  const run = customGrad((...args: (Tensor | GradSaveFunc)[]) => {
    const input = args[0] as Tensor;
    const save = args[args.length - 1] as GradSaveFunc;
    save([input]);
    return {
      value: forward(input),
      gradFunc: (dy: Tensor, saved: Tensor[]) => recompute(forward, saved[0]!, variables, dy),
    };
  });
  return run(x, ...variables);
}

function recompute(forward: (x: Tensor) => Tensor, x: Tensor, variables: readonly Variable[], dy: Tensor): Tensor[] {
  const inputs: Tensor[] = [x, ...variables];
  const gradients = gradientsWithin(() => forward(x), inputs, dy);
  return inputs.map((input, i) => gradients[i] ?? zerosLike(input));
}
