import { dispose, tensor1d, type Tensor } from '@tensorflow/tfjs-core';
import type { CollatedBatch } from '@qlora-js/data';
import type { UploadedBatch } from '../model/trainable-model';
import { addGradients, partGradients, windowParts, type WindowGradients } from './gradients';
import { measure, update, type StepMoments, type StepParts, type StepPosition, type TrainingSteps } from './recipe';

/** Every op issued through tfjs, on this thread or also on those of replicas. */
export class EagerSteps<Batch extends UploadedBatch> implements TrainingSteps {
  constructor(private readonly parts: StepParts<Batch>) {}

  async step(window: readonly CollatedBatch[], position: StepPosition, moments: StepMoments = {}): Promise<void> {
    const { losses } = this.parts;
    const computed = await this.gradients(window, position, moments);
    const { loss, gradients } = computed;
    await moments.gradientsReady?.(gradients);
    const keep: Tensor = tensor1d([losses.keep]);
    const { norm, control } = measure(this.parts, computed, keep);
    dispose([loss, norm, keep]);
    // Looked at before the update, so that a loss that is not finite leaves the weights as they were.
    await losses.counted(position.step);
    update(this.parts, gradients, { learningRate: position.learningRate, control });
    dispose([...gradients.values(), control]);
  }

  dispose(): void {
    // Nothing outlives a step.
  }

  private async gradients(
    window: readonly CollatedBatch[],
    position: StepPosition,
    { substepEnd }: StepMoments,
  ): Promise<WindowGradients> {
    const { model, trained, scaler, replicas } = this.parts;
    if (replicas !== undefined) {
      const { scale: lossScale } = await scaler.stats();
      const shared = await replicas.windowGradients(model, trained, window, position, { lossScale });
      for (let micro = 1; micro < window.length; micro++) await substepEnd?.();
      return shared;
    }
    let total: WindowGradients | undefined;
    for (const part of windowParts(model, window)) {
      if (total !== undefined) await substepEnd?.();
      const next = partGradients(model, trained, [part], position, { scaleLoss: (loss) => scaler.scale(loss) });
      total = total === undefined ? next : addGradients(total, next);
    }
    return total!;
  }
}
