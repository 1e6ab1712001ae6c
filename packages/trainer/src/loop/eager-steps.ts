import { dispose, tensor1d, type Tensor } from '@tensorflow/tfjs-core';
import type { CollatedBatch } from '@qlora-js/data';
import type { UploadedBatch } from '../model/trainable-model';
import { windowGradients, type WindowPosition } from './gradients';
import { clip, type StepParts, type TrainingSteps } from './step-parts';

/** Every op issued through tfjs. */
export class EagerSteps<Batch extends UploadedBatch> implements TrainingSteps {
  constructor(private readonly parts: StepParts<Batch>) {}

  async step(window: readonly CollatedBatch[], position: WindowPosition, learningRate: number): Promise<void> {
    const { model, trained, optimizer, losses, scaler } = this.parts;
    const { loss, gradients } = windowGradients(model, trained, window, position, {
      scaleLoss: (value) => scaler.scale(value),
    });
    const { norm, control } = clip(this.parts, gradients);
    const keep: Tensor = tensor1d([losses.keep]);
    losses.record(loss, norm, keep);
    dispose([loss, norm, keep]);
    await losses.counted(position.step);
    await optimizer.step(gradients, { learningRate, control });
    scaler.update(control);
    dispose([...gradients.values(), control]);
  }

  dispose(): void {
    // Nothing outlives a step.
  }
}
