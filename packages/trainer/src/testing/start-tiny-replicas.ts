import { startReplicas } from '../node/replicas';
import type { Replicas } from '../replicas/replicas';
import type { TinyClassifierOptions } from './tiny-classifier';

export interface TinyReplicaSetup {
  readonly model?: TinyClassifierOptions;
  readonly fault?: 'throw at set-up' | 'exit at set-up' | 'throw in its second step' | 'exit in a step';
}

/** The module that tests run in worker threads. */
export const TINY_REPLICA = new URL('./tiny-replica.ts', import.meta.url);

/** Copies of `tinyClassifier(setup.model)` in worker threads. */
export function startTinyReplicas(setup: TinyReplicaSetup, count = 1): Promise<Replicas> {
  return startReplicas({ module: TINY_REPLICA, count, setup });
}
