import type { Tensor } from '@tensorflow/tfjs-core';
import { KernelError } from '../errors';
import { formatBytes } from '../device/report';
import type { Device } from '../device/device';
import { Arena } from './arena';
import { plan, type OutputNames, type PlanOptions } from './plan';
import type { TensorSpec, TensorSpecs } from './recording';
import type { Step } from './step';

export interface PlanCacheOptions extends Omit<PlanOptions, 'arena'> {
  /** Most steps kept; default 64. */
  readonly maximumSteps?: number;
}

/**
 * Steps of one function, one for each set of input shapes, recorded when first asked for. They share the memory of
 * their intermediates, since one runs after the other; the least recently used leaves when there are too many, or too
 * many bytes.
 */
export class PlanCache<Input extends string, Outputs extends Tensor | Readonly<Record<string, Tensor>>> {
  /** The intermediates' memory. */
  private readonly arena: Arena;
  /** Least recently used first. */
  private readonly steps = new Map<string, Step<OutputNames<Outputs>>>();

  constructor(
    private readonly device: Device,
    private readonly run: (inputs: Readonly<Record<Input, Tensor>>) => Outputs,
    private readonly options: PlanCacheOptions = {},
  ) {
    this.arena = new Arena(device);
  }

  /** Steps held now. */
  get size(): number {
    return this.steps.size;
  }

  /** Bytes held: the shared intermediates, and each step's inputs, constants and outputs. */
  get bytes(): number {
    return this.arena.bytes + this.ownBytes;
  }

  /**
   * The step for inputs of these shapes and dtypes.
   *
   * @throws KernelError as `plan`
   */
  step(inputs: Readonly<Record<Input, TensorSpec>>): Step<OutputNames<Outputs>> {
    const key = keyOf(inputs);
    let step = this.steps.get(key);
    if (step === undefined) {
      const { maximumSteps = 64 } = this.options;
      if (!(maximumSteps >= 1)) {
        throw new KernelError('BAD_ARGUMENT', `PlanCache: maximumSteps ${maximumSteps} is below 1`);
      }
      step = this.make(key, inputs);
      const { budgetBytes = Infinity } = this.options;
      while (this.steps.size >= maximumSteps || step.memory.peakBytes + this.ownBytes > budgetBytes) {
        if (this.steps.size === 0) break;
        const [oldest, leaving] = this.steps.entries().next().value!;
        this.steps.delete(oldest);
        leaving.dispose();
      }
    }
    this.steps.delete(key);
    this.steps.set(key, step);
    return step;
  }

  /** Records a step; where it does not fit beside the arena that larger steps have left, without what they left. */
  private make(key: string, inputs: Readonly<Record<Input, TensorSpec>>): Step<OutputNames<Outputs>> {
    const { maximumSteps: _, name = 'step', ...options } = this.options;
    const record = (): Step<OutputNames<Outputs>> =>
      plan(this.device, this.run, inputs, { ...options, name: `${name} ${key}`, arena: this.arena });
    try {
      return record();
    } catch (error) {
      if (!(error instanceof KernelError) || error.code !== 'OUT_OF_MEMORY' || this.arena.bytes === 0) throw error;
      this.dispose();
      return record();
    }
  }

  private get ownBytes(): number {
    return [...this.steps.values()].reduce((bytes, { memory }) => bytes + memory.ownBytes, 0);
  }

  /** Steps and what they take. */
  report(): string {
    const lines = [...this.steps.values()].map(
      ({ name, dispatches, memory }) => `${name}: ${dispatches} dispatches, ${memory.text}`,
    );
    return [...lines, `together ${formatBytes(this.bytes)}`].join('\n');
  }

  /** Gives all memory back; the cache can go on, from nothing. */
  dispose(): void {
    for (const step of this.steps.values()) step.dispose();
    this.steps.clear();
    this.arena.dispose();
  }
}

/** `ids int32 16x24, rate float32 1`: the same for the same names, shapes and dtypes. */
function keyOf(specs: TensorSpecs): string {
  return Object.keys(specs)
    .sort()
    .map((name) => `${name} ${specs[name]!.dtype} ${specs[name]!.shape.join('x') || 'scalar'}`)
    .join(', ');
}
