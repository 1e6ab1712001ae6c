import type { CollatableRow, DataCollator, Dataset, RowStream } from '@qlora-js/data';
import type { Device } from '@qlora-js/kernels';
import type { TrainingArguments } from '../arguments/types';
import type { TrainerCallback } from '../callbacks/callback';
import type { CheckpointStore } from '../checkpoints/store';
import type { EvalPrediction } from '../evaluation/prediction';
import type { ComputeLoss } from '../model/losses';
import type { TrainableModel, UploadedBatch } from '../model/trainable-model';
import type { LogRow } from '../state/trainer-state';
import type { ReplicaGroup } from '../steps/replica-group';

/** Rows of token ids with labels, as `prepareDataset`, `prepareLanguageModelDataset` and `packRows` make them. */
export type PreparedDataset = Dataset<CollatableRow>;

/** What a `Trainer` works on. */
export interface TrainerOptions<Batch extends UploadedBatch> {
  readonly model: TrainableModel<Batch>;
  readonly args: TrainingArguments;
  /** Rows, shuffled by (dataSeed, epoch); or a stream of them, in its own order, of known or unknown length. */
  readonly trainDataset: PreparedDataset | RowStream;
  readonly evalDataset?: PreparedDataset;
  /** Where it is a GPU, training steps are recorded as plans and replayed; without it they go through tfjs op by op. */
  readonly device?: Device;
  /**
   * Copies of the model in threads of their own that take a part of each micro-batch's rows, on wasm and cpu; on another
   * backend they are an error. They stay the caller's, who disposes of them, unless one fails, which ends them all.
   * Evaluations are dealt out to them by whole batches, to the same bits.
   */
  readonly replicas?: ReplicaGroup;
  /** Makes batches of rows, in training and in evaluations. */
  readonly collator: DataCollator;
  readonly callbacks?: readonly TrainerCallback[];
  /** Where checkpoints go; default: memory. */
  readonly checkpoints?: CheckpointStore;
  /** SHA-256 of what else the run depends on, such as the tokenizer's files: compared when a run is resumed. */
  readonly hashes?: Readonly<Record<string, string>>;
  /**
   * What an evaluation logs beside the loss, from every row's logits and labels; not for a language model. Default: of one
   * label a row accuracy, weighted f1 as `f1` and f1_macro; of several accuracy (all of a row right), micro f1 as `f1` and
   * f1_macro; of numbers mse, mae, pearson and spearmanr; of a language model perplexity.
   */
  readonly computeMetrics?: (prediction: EvalPrediction) => Record<string, number>;
  /** The loss to train with and to evaluate with, instead of cross-entropy and of `labelSmoothingFactor`. */
  computeLoss?(...args: Parameters<ComputeLoss<Batch>>): ReturnType<ComputeLoss<Batch>>;
  /**
   * Stops the run: the step under way is finished, a checkpoint saved, and `train` rejects with a TrainerError of code
   * STOPPED that says how to go on. `stopSignals` of @qlora-js/trainer/node makes one of SIGINT, SIGTERM and SIGHUP.
   */
  readonly signal?: AbortSignal;
  /** How people go on with the run, as messages say it: a command, say. Default `resumeFromCheckpoint: true`. */
  readonly resumeBy?: string;
  /** Takes what the trainer has to say: what it goes on from, what it has tidied up, where a failed run can be gone on from. */
  readonly log?: (line: string) => void;
}

/** How `train` begins; the arguments of these names by default. */
export type TrainOptions = Partial<Pick<TrainingArguments, 'resumeFromCheckpoint' | 'acceptChanges'>>;

/** What a training came to. */
export interface TrainOutput {
  readonly globalStep: number;
  /** Mean loss over all steps. */
  readonly trainingLoss: number;
  /** Of this process; those before a resumed checkpoint are not in it. */
  readonly seconds: number;
  readonly bestMetric: number | null;
  readonly bestModelCheckpoint: string | null;
}

/** What `predict` gives, in the order of the rows. */
export interface PredictionOutput extends EvalPrediction {
  /** Loss, metrics and rates, with the prefix. */
  readonly metrics: LogRow;
}
