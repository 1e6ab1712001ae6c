import { Tensor, type Variable } from '@tensorflow/tfjs-core';
import { KernelError } from '../errors';
import type { Device } from '../device/device';
import { Arena } from './arena';
import { backendOf } from './backend';
import { ownData } from '../tfjs/in-place';
import { layTogether, LieApart } from '../tfjs/together';
import { checkFit, planMemory, type PlanMemory } from './plan-memory';
import { joinDispatches } from './joining/join';
import { compileProgram } from './program';
import { record, type Recording, type TensorSpecs } from './recording';
import { Step } from './step';

export interface PlanOptions {
  /** Name in errors, labels and profiles; default 'step'. */
  readonly name?: string;
  /** Most bytes that intermediates, inputs, constants and outputs may take together; default: what the GPU has. */
  readonly budgetBytes?: number;
  /** Examples in a batch, for advice where the plan does not fit. */
  readonly batch?: number;
  /** Memory shared with other steps, none of which runs at the same time; default: memory of its own. */
  readonly arena?: Arena;
  /** Told what the step will take before it is taken. */
  readonly onMemory?: (memory: PlanMemory) => void;
}

/** Tensors for a recorded function, by the names of the example inputs. */
export type TensorsOf<Specs extends TensorSpecs> = { readonly [Name in keyof Specs]: Tensor };

/** Name of the output of a function that returns one tensor. */
export const ONLY_OUTPUT = 'value';

export type OutputNames<Outputs extends Tensor | Readonly<Record<string, Tensor>>> = Outputs extends Tensor
  ? typeof ONLY_OUTPUT
  : keyof Outputs & string;

/**
 * Records a function of tensors on the webgpu backend, to be replayed by `run` of what is returned without any work of
 * tfjs. The function is run once, on no data: nothing is computed, no variable changes and no intermediate is
 * allocated. What it does must not depend on values: host numbers, shapes and branches are those of the recording, and
 * what differs from run to run (labels, learning rate, step number, random state) must be an input or a variable.
 *
 * - Gradients, optimiser steps that write in place, and Variable.assign may be inside.
 * - Tensors made inside from host values (scalar, tensor1d) are constants.
 * - Variables must exist before; outputs are returned, by name or alone.
 *
 * @param exampleInputs shape and dtype by name; a tensor has both, and its values are not used
 * @throws KernelError NO_FEATURE on other backends; BAD_ARGUMENT where the function does what cannot be recorded;
 *   OUT_OF_MEMORY where the plan does not fit, with what would
 */
export function plan<Specs extends TensorSpecs, Outputs extends Tensor | Readonly<Record<string, Tensor>>>(
  device: Device,
  run: (inputs: TensorsOf<Specs>) => Outputs,
  exampleInputs: Specs,
  options: PlanOptions = {},
): Step<OutputNames<Outputs>> {
  const { name = 'step', budgetBytes = Infinity, batch, arena, onMemory } = options;
  const backend = backendOf(device);
  device.throwIfFailed();
  const named = (inputs: Readonly<Record<string, Tensor>>): Record<string, Tensor> =>
    namedOutputs(name, run(inputs as TensorsOf<Specs>));
  let recording = recordTogether(name, device, named, exampleInputs);
  const shared = recording.assignments.filter(({ variable }) => backend.refCount(variable.dataId) > 1);
  if (shared.length > 0) {
    // A replay overwrites the variable's buffer, which a clone of the variable must not see.
    ownData(shared.map(({ variable }) => variable));
    recording = recordTogether(name, device, named, exampleInputs);
  }
  const program = compileProgram(recording, (commands) => joinDispatches(device.gpuDevice!, commands));
  const memory = planMemory(program, (arena ?? new Arena(device)).bytesWith(program.slots));
  checkFit(program, memory, device.gpuDevice!.limits, { name, budgetBytes, batch });
  onMemory?.(memory);
  const assigned = recording.assignments.map(({ variable }): Variable => variable);
  return new Step({ name, device, program, persistent: recording.persistent, assigned, memory, arena });
}

/** Records; where the function takes variables together that lie apart, they are laid together before it is recorded. */
function recordTogether(name: string, ...args: Parameters<typeof record>): Recording {
  const laid = new Set<string>();
  for (;;) {
    try {
      return record(...args);
    } catch (error) {
      if (!(error instanceof LieApart)) throw error;
      for (const list of error.lists) {
        const names = list.map((variable) => variable.name).join(', ');
        if (laid.has(names)) {
          throw new KernelError(
            'BAD_ARGUMENT',
            `${name}: the recorded function takes ${names} together, and one of them together with others or in an assignment, which moves them apart again: take all of them together at once`,
          );
        }
        laid.add(names);
      }
      ownData(error.lists.flat());
      layTogether(...error.lists);
    }
  }
}

function namedOutputs(name: string, outputs: Tensor | Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  if (outputs instanceof Tensor) return { [ONLY_OUTPUT]: outputs };
  const entries = typeof outputs === 'object' && outputs !== null ? Object.entries(outputs) : [];
  const wrong = entries.find(([, tensor]) => !(tensor instanceof Tensor) || tensor.size === 0);
  if (outputs instanceof Promise || typeof outputs !== 'object' || outputs === null || wrong !== undefined) {
    throw new KernelError(
      'BAD_ARGUMENT',
      `${name}: the recorded function returns ${wrong === undefined ? 'no tensors' : `no tensor with values as ${wrong[0]}`}; it must return a tensor or an object of tensors, and not be async`,
    );
  }
  return Object.fromEntries(entries);
}
