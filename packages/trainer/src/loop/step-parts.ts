import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import type { CollatedBatch } from '@qlora-js/data';
import { clipGradients, type GradScaler, type NamedVariable, type Optimizer } from '@qlora-js/optim';
import type { TrainableModel, UploadedBatch } from '../model/trainable-model';
import type { WindowPosition } from './gradients';
import type { Replicas } from '../replicas/replicas';
import type { LossLog } from './loss-log';

export interface StepParts<Batch extends UploadedBatch> {
  readonly model: TrainableModel<Batch>;
  readonly trained: readonly NamedVariable[];
  readonly optimizer: Optimizer;
  readonly losses: LossLog;
  readonly scaler: GradScaler;
  /** 0 does not clip. */
  readonly maxGradNorm: number;
  /** Threads that take a part of each micro-batch's rows. */
  readonly replicas?: Replicas;
}

/** Runs optimiser steps, each over the micro-batches of a window. */
export interface TrainingSteps {
  step(window: readonly CollatedBatch[], position: WindowPosition, learningRate: number): Promise<void>;
  dispose(): void;
}

/** Norm and control of a step's gradients, by the trainer's arguments. */
export function clip<Batch extends UploadedBatch>(
  { maxGradNorm, scaler }: StepParts<Batch>,
  gradients: ReadonlyMap<string, Tensor>,
): { norm: Tensor1D; control: Tensor1D } {
  return clipGradients(gradients, {
    maxNorm: maxGradNorm > 0 ? maxGradNorm : Infinity,
    ...(scaler.enabled ? { lossScale: scaler.lossScale } : {}),
  });
}
