import { engine, type NamedTensorMap, type Tensor } from '@tensorflow/tfjs-core';

/** Whether an op called now is taken down for a gradient, as itself and not as a part of another op. */
export function isTaped(): boolean {
  const { gradientDepth, kernelDepth } = engine().state;
  return gradientDepth > 0 && kernelDepth === 0;
}

/** One node of the tape. */
export interface TapeNode {
  /** Those that are there, by name. */
  readonly inputs: NamedTensorMap;
  /** Makes the results; what it gives to `save` is held until the gradients are made. */
  readonly forward: (save: (tensors: Tensor[]) => void) => Tensor[];
  /** Gradients by input, each made only where it is asked for. */
  readonly backward: (dys: Tensor[], saved: Tensor[]) => Record<string, () => Tensor>;
}

/** What tfjs' engine runs behind customGrad, which has one result and makes every gradient. */
interface TapingEngine {
  runKernelFunc(node: {
    inputs: NamedTensorMap;
    forwardFunc: (backend: unknown, save: (tensors: Tensor[]) => void) => Tensor[];
    backwardsFunc: (dy: Tensor | Tensor[], saved: Tensor[]) => Record<string, () => Tensor>;
  }): Tensor[];
}

/** Runs `forward` as one node of the tape that is being taken down. */
export function runOnTape({ inputs, forward, backward }: TapeNode): Tensor[] {
  return (engine() as unknown as TapingEngine).runKernelFunc({
    inputs,
    forwardFunc: (_backend, save) => forward(save),
    backwardsFunc: (dy, saved) => backward(Array.isArray(dy) ? dy : [dy], saved),
  });
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
