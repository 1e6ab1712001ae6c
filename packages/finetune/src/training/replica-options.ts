import type { Device } from '@qlora-js/kernels';
import type { BaseModel } from '../base/base';
import type { FineTuneSettings } from '../run/settings';
import type { Head } from '../task/head';

/** What a thread builds its copy of the model from. */
export interface ReplicaModelOptions {
  /** What the run was told. */
  readonly settings: FineTuneSettings;
  /** The run's base, opened anew. */
  readonly base: BaseModel;
  /** What the head is there for. */
  readonly head: Head;
  /** Of the backend that the run computes on. */
  readonly device: Device;
}
