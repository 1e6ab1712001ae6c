import type { Scalar, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import type { CollatedBatch } from '@qlora-js/data';
import type { ForwardContext } from '@qlora-js/kernels';
import type { NamedVariable } from '@qlora-js/optim';

/** A batch on the device. */
export interface UploadedBatch {
  readonly labels: Tensor1D;
  readonly batchSize: number;
  dispose(): void;
}

/** What the trainer needs of a model; `sequenceClassifier` makes one of a GPT-2 with adapters. */
export interface TrainableModel<Batch extends UploadedBatch = UploadedBatch> {
  readonly numLabels: number;
  /** The variables to train now; called at the start and after weights are loaded. */
  trainedVariables(): NamedVariable[];
  setGradientCheckpointing(enabled: boolean): void;
  upload(batch: CollatedBatch): Batch;
  /** Mean loss of the batch and its logits [batchSize, numLabels]. */
  loss(batch: Batch, context: ForwardContext): { loss: Scalar; logits: Tensor2D };
  /** Whatever is needed to have these trained weights again, as files. */
  files(): Promise<Record<string, Uint8Array | string>>;
  loadFiles(files: SavedFiles): Promise<void>;
}

/** Files of a checkpoint, to be read; @qlora-js/hub's ModelFiles is one. */
export interface SavedFiles {
  readonly id: string;
  has(path: string): Promise<boolean>;
  text(path: string): Promise<string>;
  open(path: string): Promise<{ readonly size: number; read(offset: number, length: number): Promise<Uint8Array> }>;
}
