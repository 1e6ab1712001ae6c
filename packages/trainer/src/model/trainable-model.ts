import { tensor, type Scalar, type Tensor, type Tensor2D } from '@tensorflow/tfjs-core';
import type { CollatedBatch, Task } from '@qlora-js/data';
import type { ActivationDtype } from '@qlora-js/gpt2';
import type { ReadableFiles } from '@qlora-js/hub';
import type { ForwardContext, RandomPosition } from '@qlora-js/kernels';
import type { NamedVariable } from '@qlora-js/optim';

/** What a model learns: a head's problem type, or the next token of texts. */
export type LearnedTask = Task | 'causal_lm';

/** A batch on the device. */
export interface UploadedBatch {
  /** As its task has them: int32 ids, -100 where none counts; float32 [batchSize, numLabels] of several labels or numbers. */
  readonly labels: Tensor;
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
  /** Where a training pass stands, whose dropout is drawn for the batch; left out where nothing is dropped. */
  readonly random?: RandomPosition;
}

/** What the trainer needs of a model; `sequenceClassifier` and `causalLanguageModel` make one of a GPT-2 with adapters. */
export interface TrainableModel<Batch extends UploadedBatch = UploadedBatch> {
  /** Decides what evaluations come to; default single_label_classification. */
  readonly task?: LearnedTask;
  /** Logits a row; under causal_lm the vocabulary's size. */
  readonly numLabels: number;
  /** What the loss of a batch is a mean over, for means over several; default its rows. */
  lossItems?(batch: CollatedBatch): number;
  /** The variables to train now; called at the start and after weights are loaded. */
  trainedVariables(): NamedVariable[];
  setGradientCheckpointing(enabled: boolean): void;
  /** What activations wait in for the backward pass. */
  setActivationDtype(dtype: ActivationDtype): void;
  /** A batch as the inputs of `batchOf`, by name; for training with the random states that its dropout draws from. */
  inputs(batch: CollatedBatch, options?: BatchInputOptions): Record<string, HostInput>;
  /** The batch on tensors of those names, which are its own from then on. */
  batchOf(tensors: Readonly<Record<string, Tensor>>): Batch;
  /** Mean loss of the batch and its logits [batchSize, numLabels], under causal_lm those of the tokens that are predicted. */
  loss(batch: Batch, context: ForwardContext): { loss: Scalar; logits: Tensor2D };
  /** Whatever is needed to have these trained weights again, as files. */
  files(): Promise<Record<string, Uint8Array | string>>;
  loadFiles(files: ReadableFiles): Promise<void>;
  /** Floating-point operations a token in training, for total_flos: transformers' 6 a weight outside of the embeddings. */
  readonly flopsPerToken?: number;
  /** SHA-256 of what does not train, which a resumed run has to be on again; without it that is not compared. */
  fingerprint?(): Promise<string>;
}

/** What the loss of a batch is a mean over. */
export function lossItems<Batch extends UploadedBatch>(model: TrainableModel<Batch>, batch: CollatedBatch): number {
  return model.lossItems?.(batch) ?? batch.batchSize;
}

/** Brings a batch to the device; the caller disposes of it. */
export function uploadBatch<Batch extends UploadedBatch>(
  model: TrainableModel<Batch>,
  batch: CollatedBatch,
  options: BatchInputOptions = {},
): Batch {
  const inputs = Object.entries(model.inputs(batch, options));
  return model.batchOf(
    Object.fromEntries(inputs.map(([name, { values, shape, dtype }]) => [name, tensor(values, [...shape], dtype)])),
  );
}
