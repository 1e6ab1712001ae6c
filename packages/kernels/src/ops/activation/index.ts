import { clone, type Tensor } from '@tensorflow/tfjs-core';
import { checkTensor } from '../../engine/check';
import { defineOp } from '../../engine/op';
import { KernelError } from '../../errors';
import { composeActivation } from './compose';
import { activationGradient } from './gradient';
import { ACTIVATION_KINDS, type ActivationKind, type ActivationName } from '../../formats/activations';
import { type ActivationAttributes, type ActivationInputs } from './types';
import { webgpuActivation } from './webgpu';
import { wasmActivation } from './wasm';

export { activationBackward } from './gradient';
export type { ActivationKind, ActivationName } from '../../formats/activations';

const run = defineOp<ActivationInputs, ActivationAttributes>({
  name: 'QActivation',
  compose: composeActivation,
  wasm: wasmActivation,
  webgpu: webgpuActivation,
  gradient: activationGradient,
});

/** Every name `activation` takes. */
export const activationNames = Object.keys(ACTIVATION_KINDS) as readonly ActivationName[];

/** True for the names `activation` takes. */
export function isActivationName(name: string): name is ActivationName {
  return Object.hasOwn(ACTIVATION_KINDS, name);
}

/**
 * An activation function by the name a config.json gives it (transformers' ACT2FN), element by element.
 *
 * @param x float32 of any shape
 * @throws KernelError BAD_ARGUMENT for a name that is not known, or that has parameters of its own (prelu, xielu)
 */
export function activation<T extends Tensor>(x: T, name: ActivationName): T {
  checkTensor('activation', 'x', x, x.rank, 'float32');
  return activate(x, activationKind('activation', name));
}

/** The formula of a name; for ops that have an activation in them. */
export function activationKind(op: string, name: ActivationName): ActivationKind {
  if (isActivationName(name)) return ACTIVATION_KINDS[name];
  throw new KernelError(
    'BAD_ARGUMENT',
    `${op}: '${String(name)}' is unknown; the known ones are ${activationNames.join(', ')}`,
  );
}

/** `activation` by its formula. */
export function activate<T extends Tensor>(x: T, kind: ActivationKind): T {
  return kind === 'linear' ? clone(x) : (run({ x }, { kind }) as T);
}
