import { fileURLToPath } from 'node:url';
import { startReplicas } from '../node/replicas';
import type { Replicas } from '../replicas/replicas';
import type { TinyClassifierOptions } from './tiny-classifier';

export interface TinyReplicaSetup {
  readonly model?: TinyClassifierOptions;
  readonly fault?: 'throw at set-up' | 'exit at set-up' | 'throw in its second step' | 'exit in a step';
}

/** Node's options for worker threads that run the sources. */
export const SOURCES = [
  '--conditions=@qlora-js/source',
  '--import',
  fileURLToPath(new URL('../../../../tools/typescript.mjs', import.meta.url)),
];

/** Copies of `tinyClassifier(setup.model)` in worker threads. */
export function startTinyReplicas(setup: TinyReplicaSetup, count = 1): Promise<Replicas> {
  return startReplicas({ module: new URL('./tiny-replica.ts', import.meta.url), count, setup, execArgv: SOURCES });
}
