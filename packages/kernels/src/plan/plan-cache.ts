import type { Tensor } from '@tensorflow/tfjs-core';
import { KernelError } from '../errors';
import { formatBytes } from '../device/report';
import type { Device } from '../device/device';
import { Arena } from './arena';
import { plan, type OutputNames, type PlanOptions, type TensorsOf } from './plan';
import type { TensorSpecs } from './recording';
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
export class PlanCache<Specs extends TensorSpecs, Outputs extends Tensor | Readonly<Record<string, Tensor>>> {
  /** The intermediates' memory. */
  private readonly arena: Arena;
  /** Least recently used first. */
  private readonly steps = new Map<string, Step<OutputNames<Outputs>>>();

  constructor(
    private readonly device: Device,
    private readonly run: (inputs: TensorsOf<Specs>) => Outputs,
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
    let bytes = this.arena.bytes;
    for (const step of this.steps.values()) bytes += step.memory.ownBytes;
    return bytes;
  }

  /**
   * The step for inputs of these shapes and dtypes.
   *
   * @throws KernelError as `plan`
   */
  step(inputs: Specs): Step<OutputNames<Outputs>> {
    const key = keyOf(inputs);
    const known = this.steps.get(key);
    if (known !== undefined) {
      this.steps.delete(key);
      this.steps.set(key, known);
      return known;
    }
    const { name = 'step', budgetBytes = Infinity, maximumSteps = 64, ...others } = this.options;
    if (!(maximumSteps >= 1))
      throw new KernelError('BAD_ARGUMENT', `PlanCache: maximumSteps ${maximumSteps} is below 1`);
    const made = plan(this.device, this.run, inputs, {
      ...others,
      name: `${name} ${key}`,
      budgetBytes,
      arena: this.arena,
    });
    const others_ = (): number => [...this.steps.values()].reduce((bytes, { memory }) => bytes + memory.ownBytes, 0);
    while (
      this.steps.size > 0 &&
      (this.steps.size >= maximumSteps || made.memory.peakBytes + others_() > budgetBytes)
    ) {
      const [oldest, step] = this.steps.entries().next().value!;
      this.steps.delete(oldest);
      step.dispose();
    }
    this.steps.set(key, made);
    return made;
  }

  /** Steps and what they take. */
  report(): string {
    const lines = [...this.steps.values()].map(
      ({ name, dispatches, memory }) => `${name}: ${dispatches} dispatches, ${memory.text}`,
    );
    return [...lines, `together ${formatBytes(this.bytes)}`].join('\n');
  }

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
