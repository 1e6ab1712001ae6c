import type { TextDataset } from '@qlora-js/data';
import type { Device } from '@qlora-js/kernels';
import type { PeftModel } from '@qlora-js/lora';
import type { CheckpointStore, Replicas, TrainerCallback } from '@qlora-js/trainer';
import type { BaseModel } from '../base/base';
import type { ClassifierModel } from '../base/families';
import type { TokenSplits } from '../data/tokenize';
import type { StartTracking } from '../tracking/start-tracking';
import type { Output } from './output';
import type { FineTuneSettings } from './settings';

/** What every stage after loading works with; `prepareClassifier` makes it. */
export interface FineTuneContext {
  /** What the run was told. */
  readonly settings: FineTuneSettings;
  /** Where it says what it does. */
  readonly output: Output;
  /** Where it computes. */
  readonly device: Device;
  /** The frozen model's files and tokenizer. */
  readonly base: BaseModel;
  /** Texts and labels. */
  readonly data: TextDataset;
  /** The same as token ids. */
  readonly splits: TokenSplits;
  /** The base with a head; adapters come and go. */
  readonly model: PeftModel<ClassifierModel>;
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
