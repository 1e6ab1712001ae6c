import { util } from '@tensorflow/tfjs-core';
import { OptimError } from '../errors';
import type { StateSpec } from '../rules/rule';
import type { OptimizerStateDict, StateArray } from './optimizer';

/**
 * Checks that a state dict has the states of these parameters, all and no others.
 *
 * @throws OptimError BAD_STATE that names the parameter and the state
 */
export function checkStateDict(state: OptimizerStateDict, parameters: ReadonlyMap<string, readonly StateSpec[]>): void {
  if (!Number.isInteger(state.steps) || state.steps < 0) {
    throw bad(`steps is ${String(state.steps)}, but a count is needed`);
  }
  for (const name of Object.keys(state.parameters)) {
    if (!parameters.has(name)) throw bad(`'${name}' is not trained here`);
  }
  for (const [name, specs] of parameters) {
    if (!Object.hasOwn(state.parameters, name)) throw bad(`there is nothing for '${name}'`);
    const states = state.parameters[name]!;
    const keys = Object.keys(states);
    for (const key of keys) {
      if (!specs.some((spec) => spec.key === key))
        throw bad(`'${name}' has no state '${key}'; its moments have other bits`);
    }
    for (const spec of specs) checkState(name, spec, Object.hasOwn(states, spec.key) ? states[spec.key] : undefined);
  }
}

function checkState(name: string, { key, shape, bytes }: StateSpec, value: StateArray | undefined): void {
  const length = bytes ?? util.sizeFromShape([...shape]);
  const wanted = bytes === undefined ? 'Float32Array' : 'Uint8Array';
  const fits = bytes === undefined ? value instanceof Float32Array : value instanceof Uint8Array;
  if (!fits || value?.length !== length) {
    const given = value === undefined ? 'missing' : `a ${value.constructor.name} of ${value.length}`;
    throw bad(`'${key}' of '${name}' is ${given}, but a ${wanted} of ${length} is needed`);
  }
}

function bad(what: string): OptimError {
  return new OptimError('BAD_STATE', `the optimiser's state does not fit: ${what}`);
}
