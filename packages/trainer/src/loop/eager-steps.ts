import { dispose, tensor1d, type Tensor } from '@tensorflow/tfjs-core';
import type { CollatedBatch } from '@qlora-js/data';
import type { UploadedBatch } from '../model/trainable-model';
import { windowGradients, type WindowGradients, type WindowPosition } from './gradients';
import { clip, type StepParts, type TrainingSteps } from './step-parts';

/** Every op issued through tfjs, on this thread or also on those of replicas. */
export class EagerSteps<Batch extends UploadedBatch> implements TrainingSteps {
  constructor(private readonly parts: StepParts<Batch>) {}

  async step(window: readonly CollatedBatch[], position: WindowPosition, learningRate: number): Promise<void> {
    const { optimizer, losses, scaler } = this.parts;
    const { loss, gradients } = await this.gradients(window, position);
    const { norm, control } = clip(this.parts, gradients);
    const keep: Tensor = tensor1d([losses.keep]);
    losses.record(loss, norm, keep);
    dispose([loss, norm, keep]);
    await losses.counted(position.step);
    await optimizer.step(gradients, { learningRate, control });
    scaler.update(control);
    dispose([...gradients.values(), control]);
  }

  private async gradients(window: readonly CollatedBatch[], position: WindowPosition): Promise<WindowGradients> {
    const { model, trained, scaler, replicas } = this.parts;
    if (replicas === undefined) {
      return windowGradients(model, trained, window, position, { scaleLoss: (value) => scaler.scale(value) });
    }
    const { scale: lossScale } = await scaler.stats();
    return replicas.windowGradients(model, trained, window, position, { lossScale });
  }

  dispose(): void {
    // Nothing outlives a step.
  }
}
