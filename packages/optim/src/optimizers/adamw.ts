import { tensor1d, tidy, variable, type Tensor, type Variable } from '@tensorflow/tfjs-core';
import { stepValues, type AdamwAttributes, type StepValues } from '@qlora-js/kernels';
import { OptimError } from '../errors';
import type { ParameterGroup } from '../groups/groups';
import { Pager } from '../paging/pager';
import { stateBytes, StateBuffers } from '../paging/state-buffers';
import type { RuleEntry, UpdateRule } from '../rules/rule';
import type {
  Optimizer,
  OptimizerMemory,
  OptimizerName,
  OptimizerStateDict,
  StateArray,
  StepOptions,
} from './optimizer';
import { checkStateDict } from './state-dict';

export interface AdamWArguments {
  readonly name: OptimizerName;
  readonly groups: readonly ParameterGroup[];
  readonly betas: readonly [number, number];
  readonly epsilon: number;
  readonly weightDecay: number;
  /** How a parameter's moments are kept. */
  readonly ruleFor: (parameter: Variable) => UpdateRule;
  /** Which parameters' states may leave the device, and how many bytes of those may stay; none without it. */
  readonly paging?: { readonly threshold: number; readonly budget: number };
}

interface Slot {
  readonly name: string;
  readonly parameter: Variable;
  readonly rule: UpdateRule;
  readonly attributes: AdamwAttributes;
  readonly states: StateBuffers;
  readonly pageable: boolean;
}

/** AdamW over parameters that each keep their moments by a rule of their own, on the device or paged. */
export class AdamW implements Optimizer {
  readonly name: OptimizerName;
  steps = 0;
  private readonly slots: readonly Slot[];
  private readonly pager: Pager;
  /** Steps applied, on the device. */
  private readonly counter: Variable;
  private readonly betas: { readonly beta1: number; readonly beta2: number };
  /** Whether states may have to leave the device. */
  private readonly pages: boolean;
  private disposed = false;

  constructor({ name, groups, betas: [beta1, beta2], epsilon, weightDecay, ruleFor, paging }: AdamWArguments) {
    this.name = name;
    this.betas = { beta1, beta2 };
    this.pager = new Pager(paging?.budget ?? Infinity);
    this.pages = Number.isFinite(paging?.budget ?? Infinity);
    this.slots = groups.flatMap((group) =>
      group.parameters.map(({ name, variable: parameter }) => {
        const attributes = {
          beta1,
          beta2,
          epsilon,
          weightDecay: group.weightDecay ?? weightDecay,
          learningRateScale: group.learningRateScale ?? 1,
        };
        const rule = ruleFor(parameter);
        const specs = rule.states(parameter);
        const pageable = paging !== undefined && parameter.size >= paging.threshold;
        const states = new StateBuffers(specs, {
          inOne: rule.inOne,
          resident: !pageable || this.pager.hasRoom(stateBytes(specs)),
        });
        if (pageable && states.resident) this.pager.add(states);
        return { name, parameter, rule, attributes, states, pageable };
      }),
    );
    this.counter = tidy(() => variable(tensor1d([0]), false));
  }

  async step(gradients: ReadonlyMap<string, Tensor>, options: StepOptions): Promise<void> {
    if (!this.pages) {
      this.stepSync(gradients, options);
      return;
    }
    const ofSlot = this.gradientsOf(gradients);
    const step = this.beginStep(options);
    try {
      for (const [index, slot] of this.slots.entries()) {
        // Waiting costs a turn of the event loop, so it is done for those alone that may have to come or go.
        if (slot.pageable) await this.pager.acquire(slot.states);
        slot.rule.update([entryOf(slot, ofSlot[index]!)], step);
        if (slot.pageable) await this.pager.settle();
      }
    } finally {
      step.dispose();
    }
  }

  stepSync(gradients: ReadonlyMap<string, Tensor>, options: StepOptions): void {
    if (this.pages) {
      throw new OptimError(
        'BAD_ARGUMENT',
        `'${this.name}' pages states out to the host within its deviceMemoryBudget, which has to be awaited: call step, or leave the budget out`,
      );
    }
    const ofSlot = this.gradientsOf(gradients);
    const byRule = new Map<UpdateRule, RuleEntry[]>(this.slots.map(({ rule }) => [rule, []]));
    this.slots.forEach((slot, index) => byRule.get(slot.rule)!.push(entryOf(slot, ofSlot[index]!)));
    const step = this.beginStep(options);
    try {
      for (const [rule, entries] of byRule) rule.update(entries, step);
    } finally {
      step.dispose();
    }
  }

  async stateDict(): Promise<OptimizerStateDict> {
    this.checkUsable();
    const steps = (await this.counter.data())[0]!;
    const entries: [string, Record<string, StateArray>][] = [];
    for (const { name, states } of this.slots) entries.push([name, await states.read()]);
    return { name: this.name, steps, parameters: Object.fromEntries(entries) };
  }

  loadStateDict(state: OptimizerStateDict): void {
    this.checkUsable();
    checkStateDict(state, new Map(this.slots.map(({ name, states }) => [name, states.specs])));
    this.pager.clear();
    for (const { name, states, pageable } of this.slots) {
      states.load(state.parameters[name]!, !pageable || this.pager.hasRoom(states.bytes));
      if (pageable && states.resident) this.pager.add(states);
    }
    tidy(() => this.counter.assign(tensor1d([state.steps])));
    this.steps = state.steps;
  }

  memory(): OptimizerMemory {
    const bytes = (resident: boolean): number =>
      this.slots.reduce((sum, { states }) => sum + (states.resident === resident ? states.bytes : 0), 0);
    const { pageIns, pageOuts } = this.pager;
    return { deviceBytes: bytes(true), hostBytes: bytes(false), pageIns, pageOuts };
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    for (const { states } of this.slots) states.dispose();
    for (const rule of new Set(this.slots.map(({ rule }) => rule))) rule.dispose();
    this.counter.dispose();
  }

  private gradientsOf(gradients: ReadonlyMap<string, Tensor>): Tensor[] {
    this.checkUsable();
    return this.slots.map(({ name }) => {
      const gradient = gradients.get(name);
      if (gradient === undefined) throw new OptimError('MISSING_GRADIENT', `there is no gradient for '${name}'`);
      return gradient;
    });
  }

  private beginStep({ learningRate, control }: StepOptions): StepValues {
    this.steps++;
    return stepValues(learningRate, this.counter, control, this.betas);
  }

  private checkUsable(): void {
    if (this.disposed) throw new OptimError('DISPOSED', `the optimiser '${this.name}' is disposed: create another`);
  }
}

function entryOf({ parameter, states, attributes }: Slot, gradient: Tensor): RuleEntry {
  return { parameter, gradient, states: states.variables, attributes };
}
