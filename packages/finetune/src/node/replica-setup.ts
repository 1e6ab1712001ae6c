import type { Device } from '@qlora-js/kernels';
import type { HubOptions } from './open-base';
import type { FineTuneSettings } from '../run/settings';
import type { Head } from '../task/head';

/** What a thread builds its copy of the model from. */
export interface ReplicaSetup {
  /** What the run was told. */
  readonly settings: FineTuneSettings;
  /** Folder or hub id of the base; the embedded one where it is left out. */
  readonly base: string | undefined;
  /** For a base on the hub. */
  readonly hub: Omit<HubOptions, 'onProgress'>;
  /** The main thread's backend. */
  readonly backend: Device['backend'];
  /** What the head is there for. */
  readonly head: Head;
}
