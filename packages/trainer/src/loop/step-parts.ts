import type { CollatedBatch } from '@qlora-js/data';
import type { NamedVariable, Optimizer } from '@qlora-js/optim';
import type { TrainableModel, UploadedBatch } from '../model/trainable-model';
import type { WindowPosition } from './gradients';
import type { LossLog } from './loss-log';

export interface StepParts<Batch extends UploadedBatch> {
  readonly model: TrainableModel<Batch>;
  readonly trained: readonly NamedVariable[];
  readonly optimizer: Optimizer;
  readonly losses: LossLog;
  /** 0 does not clip. */
  readonly maxGradNorm: number;
}

/** Runs optimiser steps, each over the micro-batches of a window. */
export interface TrainingSteps {
  step(window: readonly CollatedBatch[], position: WindowPosition, learningRate: number): Promise<void>;
  dispose(): void;
}

export function clipOptions(maxGradNorm: number): { maxNorm: number } {
  return { maxNorm: maxGradNorm > 0 ? maxGradNorm : Infinity };
}
