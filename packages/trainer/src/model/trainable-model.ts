import { tensor, type Scalar, type Tensor, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs-core';
import type { CollatedBatch } from '@qlora-js/data';
import type { ActivationDtype } from '@qlora-js/gpt2';
import type { ForwardContext } from '@qlora-js/kernels';
import type { NamedVariable } from '@qlora-js/optim';

/** A batch on the device. */
export interface UploadedBatch {
  readonly labels: Tensor1D;
  readonly batchSize: number;
  dispose(): void;
}

/** Values on the host, to become a tensor. */
export interface HostInput {
  readonly values: Int32Array | Float32Array;
  readonly shape: readonly number[];
  readonly dtype: 'int32' | 'float32';
}

export interface BatchInputOptions {
  /** Fill the rows up to a multiple of this, where that changes no result, so that few shapes occur. Default 1. */
  readonly rowMultiple?: number;
}

/** What the trainer needs of a model; `sequenceClassifier` makes one of a GPT-2 with adapters. */
export interface TrainableModel<Batch extends UploadedBatch = UploadedBatch> {
  readonly numLabels: number;
  /** The variables to train now; called at the start and after weights are loaded. */
  trainedVariables(): NamedVariable[];
  setGradientCheckpointing(enabled: boolean): void;
  /** What activations wait in for the backward pass. */
  setActivationDtype(dtype: ActivationDtype): void;
  /** A batch as the inputs of `batchOf`, by name. */
  inputs(batch: CollatedBatch, options?: BatchInputOptions): Record<string, HostInput>;
  /** The batch on tensors of those names, which are its own from then on. */
  batchOf(tensors: Readonly<Record<string, Tensor>>): Batch;
  /** Mean loss of the batch and its logits [batchSize, numLabels]. */
  loss(batch: Batch, context: ForwardContext): { loss: Scalar; logits: Tensor2D };
  /** Whatever is needed to have these trained weights again, as files. */
  files(): Promise<Record<string, Uint8Array | string>>;
  loadFiles(files: SavedFiles): Promise<void>;
  /** Floating-point operations a token in training, for total_flos: transformers' 6 a weight outside of the embeddings. */
  readonly flopsPerToken?: number;
  /** SHA-256 of what does not train, which a resumed run has to be on again; without it that is not compared. */
  fingerprint?(): Promise<string>;
}

/** Files of a checkpoint, to be read; @qlora-js/hub's ModelFiles is one. */
export interface SavedFiles {
  readonly id: string;
  has(path: string): Promise<boolean>;
  text(path: string): Promise<string>;
  open(path: string): Promise<{ readonly size: number; read(offset: number, length: number): Promise<Uint8Array> }>;
}

/** Brings a batch to the device; the caller disposes of it. */
export function uploadBatch<Batch extends UploadedBatch>(model: TrainableModel<Batch>, batch: CollatedBatch): Batch {
  const inputs = Object.entries(model.inputs(batch));
  return model.batchOf(
    Object.fromEntries(inputs.map(([name, { values, shape, dtype }]) => [name, tensor(values, [...shape], dtype)])),
  );
}
