import { engine, type Tensor } from '@tensorflow/tfjs-core';

/** Whether an op called now is taken down for a gradient, as itself and not as a part of another op. */
export function isTaped(): boolean {
  const { gradientDepth, kernelDepth } = engine().state;
  return gradientDepth > 0 && kernelDepth === 0;
}

/**
 * Gradients of `forward` by its inputs while another tape is being walked: tfjs' engine owns one tape at a time, and the
 * outer one must be there when it goes on.
 */
export function gradientsWithin(forward: () => Tensor, inputs: Tensor[], dy: Tensor): (Tensor | null | undefined)[] {
  const { state } = engine();
  const outerTape = state.activeTape;
  try {
    return engine().gradients(forward, inputs, dy, true).grads;
  } finally {
    state.activeTape = outerTape;
  }
}
