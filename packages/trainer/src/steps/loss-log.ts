import { add, engine, mul, reshape, tensor1d, tidy, variable, type Tensor, type Variable } from '@tensorflow/tfjs-core';
import { TrainerError } from '../errors';
import type { Stateful } from '../state/stateful';

/** What a `LossLog` goes on from. */
export interface LossLogState {
  /** Steps since the last row, and their losses' sum. */
  readonly count: number;
  readonly sum: number;
  /** Sum of the losses in earlier rows. */
  readonly total: number;
  readonly totalSteps: number;
  readonly lastStep: number;
  /** Of the last step, one value: no number where a step was left out, which JSON can't hold. */
  readonly norm: Float32Array;
}

/**
 * The losses since the last log row. On cpu and wasm each loss is looked at as it comes, so that a run that has gone
 * astray ends at that step; on a GPU sums stay on the device until a row is due, and an update whose gradients are
 * not finite has already been left out by then.
 */
export class LossLog implements Stateful<LossLogState> {
  private readonly sum = zero();
  private readonly last = zero();
  private readonly norm = zero();
  private count = 0;
  private total = 0;
  private totalSteps = 0;
  private lastStep = 0;

  /** @param skips whether a step may be left out for gradients that overflow: then only the loss has to be finite */
  constructor(private readonly skips = false) {}

  /** Whether a step has been counted since the last row. */
  get hasSteps(): boolean {
    return this.count > 0;
  }

  /** What `record` is to multiply the sum by: 0 for the first loss of a row. */
  get keep(): number {
    return this.count === 0 ? 0 : 1;
  }

  /** Adds a loss on the device; all of it may be part of a recorded plan. The tensors stay the caller's. */
  record(loss: Tensor, norm: Tensor, keep: Tensor): void {
    tidy(() => {
      const value = reshape(loss, [1]);
      this.sum.assign(add(mul(this.sum as Tensor, keep), value));
      this.last.assign(value);
      this.norm.assign(reshape(norm, [1]));
    });
  }

  /** Counts the step that `record` was part of. */
  async counted(step: number): Promise<void> {
    this.count++;
    this.totalSteps++;
    this.lastStep = step;
    if (engine().backendName === 'webgpu') return;
    const [loss, norm] = await Promise.all([value(this.last), value(this.norm)]);
    this.check(loss, norm, step);
  }

  /** Mean loss since the last row and the last gradient norm before clipping; starts the next row. */
  async flush(): Promise<{ loss: number; grad_norm: number }> {
    const [sum, gradNorm] = await Promise.all([value(this.sum), value(this.norm)]);
    this.check(sum, gradNorm, this.lastStep);
    const mean = sum / this.count;
    this.total += sum;
    this.count = 0;
    return { loss: mean, grad_norm: gradNorm };
  }

  /** Mean loss over every step, rows logged or not. */
  async mean(): Promise<number> {
    if (this.count > 0) await this.flush();
    return this.total / this.totalSteps;
  }

  async stateDict(): Promise<LossLogState> {
    const { count, total, totalSteps, lastStep } = this;
    const [sum, norm] = await Promise.all([value(this.sum), value(this.norm)]);
    return { count, sum, total, totalSteps, lastStep, norm: Float32Array.of(norm) };
  }

  loadStateDict({ count, sum, total, totalSteps, lastStep, norm }: LossLogState): void {
    Object.assign(this, { count, total, totalSteps, lastStep });
    tidy(() => {
      this.sum.assign(tensor1d([sum]));
      this.norm.assign(tensor1d(norm));
    });
  }

  private check(loss: number, norm: number, step: number): void {
    if (!Number.isFinite(loss) || (!this.skips && !Number.isFinite(norm))) throw nonFinite(loss, norm, step);
  }

  dispose(): void {
    for (const held of [this.sum, this.last, this.norm]) held.dispose();
  }
}

function zero(): Variable {
  return tidy(() => variable(tensor1d([0]), false));
}

async function value(scalar: Variable): Promise<number> {
  return (await scalar.data())[0]!;
}

function nonFinite(loss: number, norm: number, step: number): TrainerError {
  return new TrainerError(
    'NON_FINITE',
    `step ${step}: the loss is ${loss} and the gradients' norm ${norm}; the update was not applied. Lower learningRate, raise warmupSteps or check the data; the last checkpoint is as it was.`,
  );
}
