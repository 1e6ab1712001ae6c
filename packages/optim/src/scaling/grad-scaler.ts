import {
  mul,
  reshape,
  tensor1d,
  tidy,
  variable,
  type Tensor,
  type Tensor1D,
  type Variable,
} from '@tensorflow/tfjs-core';
import { updateLossScale } from '@qlora-js/kernels';
import { OptimError } from '../errors';

export interface GradScalerOptions {
  /** False makes a scaler that leaves everything as it is: for float32. */
  readonly enabled?: boolean;
  readonly initScale?: number;
  /** What the scale is multiplied by after `growthInterval` steps in a row that were not skipped. */
  readonly growthFactor?: number;
  /** What it is multiplied by after a skipped step. */
  readonly backoffFactor?: number;
  readonly growthInterval?: number;
}

export interface GradScalerStats {
  readonly scale: number;
  readonly skippedSteps: number;
}

/** JSON. */
export interface GradScalerState extends GradScalerStats {
  /** Steps since the scale last changed. */
  readonly growthTracker: number;
}

/**
 * Dynamic loss scaling for float16 with the semantics and defaults of torch.amp.GradScaler: the loss is multiplied by a
 * scale, the optimiser divides it out again by its control tensor, and steps whose gradients overflow are skipped and
 * lower the scale. All of it is decided on the device.
 *
 *     const loss = scaler.scale(model.loss());                    // gradients are scaled
 *     const { control } = clipGradients(gradients, { maxNorm: 1, lossScale: scaler.lossScale });
 *     await optimizer.step(gradients, { learningRate, control });
 *     scaler.update(control);
 */
export class GradScaler {
  readonly enabled: boolean;
  private readonly growthFactor: number;
  private readonly backoffFactor: number;
  private readonly growthInterval: number;
  /** Scale, [1]. */
  private readonly current: Variable;
  /** Growth tracker and skipped steps, [2]. */
  private readonly counts: Variable;

  /** @throws OptimError BAD_ARGUMENT */
  constructor(options: GradScalerOptions = {}) {
    const {
      enabled = true,
      initScale = 65_536,
      growthFactor = 2,
      backoffFactor = 0.5,
      growthInterval = 2000,
    } = options;
    check(initScale > 0 && Number.isFinite(initScale), `initScale ${initScale} is not a positive number`);
    check(growthFactor > 1, `growthFactor ${growthFactor} is not above 1`);
    check(backoffFactor > 0 && backoffFactor < 1, `backoffFactor ${backoffFactor} is not between 0 and 1`);
    check(Number.isInteger(growthInterval) && growthInterval > 0, `growthInterval ${growthInterval} is not a count`);
    this.enabled = enabled;
    this.growthFactor = growthFactor;
    this.backoffFactor = backoffFactor;
    this.growthInterval = growthInterval;
    this.current = tidy(() => variable(tensor1d([enabled ? initScale : 1]), false));
    this.counts = tidy(() => variable(tensor1d([0, 0]), false));
  }

  /** What losses are multiplied by, [1]; for `clipGradients`. The scaler's own: not to be disposed of. */
  get lossScale(): Tensor1D {
    return this.current as Tensor as Tensor1D;
  }

  /** The loss times the scale, differentiable; a disabled scaler returns the loss itself. */
  scale<T extends Tensor>(loss: T): T {
    if (!this.enabled) return loss;
    return tidy(() => mul(loss, reshape(this.current as Tensor, [])));
  }

  /** To be called after each optimiser step, with the control tensor that step was given. */
  update(control: Tensor1D): void {
    if (!this.enabled) return;
    const { growthFactor, backoffFactor, growthInterval } = this;
    updateLossScale(this.current, this.counts, control, { growthFactor, backoffFactor, growthInterval });
  }

  /** Reads scale and skipped steps back from the device. */
  async stats(): Promise<GradScalerStats> {
    const { scale, skippedSteps } = await this.stateDict();
    return { scale, skippedSteps };
  }

  async stateDict(): Promise<GradScalerState> {
    const [scale, counts] = await Promise.all([this.current.data(), this.counts.data()]);
    return { scale: scale[0]!, growthTracker: counts[0]!, skippedSteps: counts[1]! };
  }

  /** @throws OptimError BAD_STATE */
  loadStateDict({ scale, growthTracker, skippedSteps }: GradScalerState): void {
    const isCount = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= 0;
    if (!(scale > 0 && Number.isFinite(scale)) || !isCount(growthTracker) || !isCount(skippedSteps)) {
      throw new OptimError(
        'BAD_STATE',
        `the scaler's state does not fit: scale ${scale}, growthTracker ${growthTracker}, skippedSteps ${skippedSteps}`,
      );
    }
    tidy(() => {
      this.current.assign(tensor1d([this.enabled ? scale : 1]));
      this.counts.assign(tensor1d([growthTracker, skippedSteps]));
    });
  }

  dispose(): void {
    if (this.current.isDisposed) return;
    this.current.dispose();
    this.counts.dispose();
  }
}

function check(fits: boolean, what: string): void {
  if (!fits) throw new OptimError('BAD_ARGUMENT', `GradScaler: ${what}`);
}
