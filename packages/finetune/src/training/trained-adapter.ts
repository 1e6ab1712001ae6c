import type { RunTracking } from '@qlora-js/tracking';
import type { SpeedMemCallback, Trainer, TrainOutput } from '@qlora-js/trainer';
import type { TrainingSettings } from './settings';

/** A training that is over. */
export interface TrainedAdapter {
  /** Name of the adapter in the model. */
  readonly adapterName: string;
  /** The trainer, for evaluations and its log. */
  readonly trainer: Trainer;
  /** What it came to. */
  readonly result: TrainOutput;
  /** Time, token rates and memory of each epoch. */
  readonly speed: SpeedMemCallback;
  /** The arguments it had. */
  readonly training: TrainingSettings;
  /** Its record, which goes on until it is finished; undefined where none is kept. */
  readonly tracking: RunTracking | undefined;
}
