import type { DataCollator, SplitName, TextDataset } from '@qlora-js/data';
import type { Device, Module } from '@qlora-js/kernels';
import type { PeftModel } from '@qlora-js/lora';
import type {
  CheckpointStore,
  LearnedTask,
  PreparedDataset,
  Replicas,
  TrainableModel,
  TrainerCallback,
} from '@qlora-js/trainer';
import type { BaseModel } from '../base/base';
import type { ClassifierModel } from '../base/family';
import type { TokenSplits } from '../data/tokenize';
import type { Goal } from '../task/goal';
import type { StartTracking } from '../tracking/start-tracking';
import type { Output } from './output';
import type { FineTuneSettings } from './settings';

/** What is learnt, as far as trainings, searches and their records have to know. */
export interface Learning {
  /** transformers' problem type, or the next token. */
  readonly task: LearnedTask;
  /** What weights and parameters are chosen by. */
  readonly goal: Goal;
  /** PEFT's word for the model's kind. */
  readonly taskType: 'SEQ_CLS' | 'CAUSAL_LM';
  /** What reports call the data. */
  readonly dataName: string;
  /** What else a report says of them. */
  readonly dataFacts: Readonly<Record<string, number | string | null>>;
  /** Makes batches of rows. */
  readonly collator: DataCollator;
  /** The model as the trainer sees it, the adapter that is active then among it. */
  readonly trainable: () => TrainableModel;
  /** What stands beside an adapter's weights, so that it can be used by itself. */
  readonly describingFiles: () => Promise<Readonly<Record<string, Uint8Array | string>>>;
}

/** What a training works with, whatever it learns. */
export interface TrainingContext<Base extends Module = Module> {
  /** What the run was told. */
  readonly settings: FineTuneSettings;
  /** Where it says what it does. */
  readonly output: Output;
  /** Where it computes. */
  readonly device: Device;
  /** The frozen model's files and tokenizer. */
  readonly base: BaseModel;
  /** What is learnt. */
  readonly learning: Learning;
  /** The rows as token ids. */
  readonly splits: Readonly<Record<SplitName, PreparedDataset>>;
  /** The base with a head; adapters come and go. */
  readonly model: PeftModel<Base>;
  /** Copies of the base in further threads, which every training uses; undefined with one thread. */
  readonly replicas: Replicas | undefined;
  /** Where the checkpoints of a training of that name go; undefined for memory. */
  readonly checkpoints: ((name: string) => CheckpointStore) | undefined;
  /** Begins the record of a training; undefined where none is kept. */
  readonly startTracking: StartTracking | undefined;
  /** Listens to every training, trials among them. */
  readonly callbacks: readonly TrainerCallback[];
  /** Stops the run in good order. */
  readonly signal: AbortSignal | undefined;
  /** How people go on with the run, as messages say it. */
  readonly resumeBy: string | undefined;
}

/** What every stage of a classifier or regressor after loading works with; `prepareClassifier` makes it. */
export interface FineTuneContext extends TrainingContext<ClassifierModel> {
  /** Texts and labels. */
  readonly data: TextDataset;
  /** The same as token ids. */
  readonly splits: TokenSplits;
}
