import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import type { CollatedBatch } from '@qlora-js/data';
import { clipGradients, type GradScaler, type NamedVariable, type Optimizer } from '@qlora-js/optim';
import type { TrainableModel, UploadedBatch } from '../model/trainable-model';
import type { WindowGradients, WindowPosition } from './gradients';
import type { LossLog } from './loss-log';
import type { ReplicaGroup } from './replica-group';

/** What the steps of a training work on. */
export interface StepParts<Batch extends UploadedBatch> {
  readonly model: TrainableModel<Batch>;
  readonly trained: readonly NamedVariable[];
  readonly optimizer: Optimizer;
  readonly losses: LossLog;
  readonly scaler: GradScaler;
  /** 0 does not clip. */
  readonly maxGradNorm: number;
  /** Threads that take a part of each micro-batch's rows. */
  readonly replicas?: ReplicaGroup;
}

/** What happens between the parts of a step. Where nobody asks for a moment, a recorded step does not stop there. */
export interface StepMoments {
  /** After each micro-batch of a window but the last; with replicas, once all of them are done. */
  readonly substepEnd?: () => Promise<void>;
  /** Once the gradients of the whole window exist, before they are clipped. They are the trainer's: to be read, not kept. */
  readonly gradientsReady?: (gradients: ReadonlyMap<string, Tensor>) => Promise<void>;
}

/** Where a step stands in its run, and its learning rate. */
export interface StepPosition extends WindowPosition {
  readonly learningRate: number;
}

/** Runs optimiser steps, each over the micro-batches of a window. */
export interface TrainingSteps {
  step(window: readonly CollatedBatch[], position: StepPosition, moments?: StepMoments): Promise<void>;
  dispose(): void;
}

/** First half of what a step does with its gradients: their norm, what clips them, and the loss added to the log. */
export function measure<Batch extends UploadedBatch>(
  { maxGradNorm, scaler, losses }: StepParts<Batch>,
  { loss, gradients }: WindowGradients,
  keepLosses: Tensor,
): { norm: Tensor1D; control: Tensor1D } {
  const measured = clipGradients(gradients, {
    maxNorm: maxGradNorm > 0 ? maxGradNorm : Infinity,
    ...(scaler.enabled ? { lossScale: scaler.lossScale } : {}),
  });
  losses.record(loss, measured.norm, keepLosses);
  return measured;
}

/** Second half: the update, or the step left out where `control` says that the gradients are not finite. */
export function update<Batch extends UploadedBatch>(
  { optimizer, scaler }: StepParts<Batch>,
  gradients: ReadonlyMap<string, Tensor>,
  { learningRate, control }: { readonly learningRate: number | Tensor1D; readonly control: Tensor1D },
): void {
  optimizer.stepSync(gradients, { learningRate, control });
  scaler.update(control);
}
