import { add, engine, type Tensor } from '@tensorflow/tfjs-core';
import { TrainerError } from '../errors';

/**
 * The losses since the last log row. On cpu and wasm each loss is looked at as it comes, so that a run that has gone
 * astray ends at that step; on a GPU sums stay on the device until a row is due, and an update whose gradients are
 * not finite has already been left out by then.
 */
export class LossLog {
  private sum: Tensor | undefined;
  private count = 0;
  private norm: Tensor | undefined;
  private total = 0;
  private totalSteps = 0;
  private lastStep = 0;

  /** Takes over both tensors. */
  async add(loss: Tensor, norm: Tensor, step: number): Promise<void> {
    if (engine().backendName !== 'webgpu') {
      const [value] = await loss.data();
      const [normValue] = await norm.data();
      if (!Number.isFinite(value) || !Number.isFinite(normValue)) throw nonFinite(value, normValue, step);
    }
    this.norm?.dispose();
    this.norm = norm;
    if (this.sum === undefined) {
      this.sum = loss;
    } else {
      const sum = add(this.sum, loss);
      this.sum.dispose();
      loss.dispose();
      this.sum = sum;
    }
    this.count++;
    this.totalSteps++;
    this.lastStep = step;
  }

  /** Mean loss since the last row and the last gradient norm before clipping; starts the next row. */
  async flush(): Promise<{ loss: number; grad_norm: number }> {
    const sum = (await this.sum?.data())?.[0] ?? NaN;
    const gradNorm = (await this.norm?.data())?.[0] ?? NaN;
    if (!Number.isFinite(sum) || !Number.isFinite(gradNorm)) throw nonFinite(sum, gradNorm, this.lastStep);
    const mean = sum / this.count;
    this.total += sum;
    this.sum?.dispose();
    this.norm?.dispose();
    this.sum = undefined;
    this.norm = undefined;
    this.count = 0;
    return { loss: mean, grad_norm: gradNorm };
  }

  /** Mean loss over every step, rows logged or not. */
  async mean(): Promise<number> {
    if (this.count > 0) await this.flush();
    return this.total / this.totalSteps;
  }
}

function nonFinite(loss: number | undefined, norm: number | undefined, step: number): TrainerError {
  return new TrainerError(
    'NON_FINITE',
    `step ${step}: the loss is ${loss} and the gradients' norm ${norm}; the update was not applied. Lower learningRate, raise warmupSteps or check the data; the last checkpoint is as it was.`,
  );
}
