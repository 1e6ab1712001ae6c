import type { Tensor1D } from '@tensorflow/tfjs-core';
import { KernelError } from '../errors';
import type { Parameter } from './parameter';

/** What a forward pass depends on besides its inputs. */
export interface ForwardContext {
  /** Dropout is applied only while training. */
  readonly training: boolean;
  /** `randomState` with the numbers of the rows; needed while training with dropout. */
  readonly random?: Tensor1D;
  /** The same of the rows that the last block goes on with after its attention, where not all do. */
  readonly randomAfter?: Tensor1D;
}

export const INFERENCE: ForwardContext = { training: false };

/**
 * A node of a model's tree. Children and parameters are found by the names PyTorch gives them
 * (`transformer.h.0.attn.c_attn`), because files, target_modules and logs all use those.
 */
export abstract class Module {
  private readonly childModules = new Map<string, Module>();
  private readonly ownParameters = new Map<string, Parameter>();

  /** Adds or replaces a child; the replaced one is the caller's to keep or dispose. */
  setChild(name: string, child: Module): void {
    this.childModules.set(name, child);
  }

  /** Takes a child out of the tree and returns it; the caller disposes of it. */
  removeChild(name: string): Module | undefined {
    const child = this.childModules.get(name);
    this.childModules.delete(name);
    return child;
  }

  setParameter(name: string, parameter: Parameter): void {
    this.ownParameters.set(name, parameter);
  }

  child(name: string): Module | undefined {
    return this.childModules.get(name);
  }

  children(): IterableIterator<[string, Module]> {
    return this.childModules.entries();
  }

  /** Every module below and including this one, depth first in the order of creation, with its dotted name. */
  *namedModules(prefix = ''): Generator<[string, Module]> {
    yield [prefix, this];
    for (const [name, child] of this.childModules) yield* child.namedModules(join(prefix, name));
  }

  /** Every parameter below, with its dotted name. */
  *namedParameters(prefix = ''): Generator<[string, Parameter]> {
    for (const [name, parameter] of this.ownParameters) yield [join(prefix, name), parameter];
    for (const [name, child] of this.childModules) yield* child.namedParameters(join(prefix, name));
  }

  module(path: string): Module {
    const names = path === '' ? [] : path.split('.');
    return names.reduce((at: Module, name) => {
      const next = at.child(name);
      if (next !== undefined) return next;
      throw new KernelError('BAD_ARGUMENT', `there is no module '${path}': '${name}' is missing`);
    }, this);
  }

  /** Puts another module at a dotted path and returns the one that was there. */
  replaceModule(path: string, module: Module): Module {
    const before = this.module(path);
    const dot = path.lastIndexOf('.');
    this.module(dot < 0 ? '' : path.slice(0, dot)).setChild(path.slice(dot + 1), module);
    return before;
  }

  /** Frees every tensor of this module and of those below. */
  dispose(): void {
    for (const parameter of this.ownParameters.values()) parameter.dispose();
    for (const child of this.childModules.values()) child.dispose();
  }
}

function join(prefix: string, name: string): string {
  return prefix === '' ? name : `${prefix}.${name}`;
}

/** Counts of parameters as PEFT prints them. */
export interface ParameterCounts {
  readonly trainable: number;
  readonly all: number;
}

export function countParameters(module: Module): ParameterCounts {
  let trainable = 0;
  let all = 0;
  for (const [, parameter] of module.namedParameters()) {
    all += parameter.logicalSize;
    if (parameter.requiresGrad) trainable += parameter.logicalSize;
  }
  return { trainable, all };
}
