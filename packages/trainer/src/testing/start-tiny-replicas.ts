import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { startReplicas } from '../node/replicas';
import type { Replicas } from '../replicas/replicas';
import type { TinyClassifierOptions } from './tiny-classifier';

export interface TinyReplicaSetup {
  readonly model?: TinyClassifierOptions;
  readonly fault?: 'throw at set-up' | 'exit at set-up' | 'throw in its second step' | 'exit in a step';
}

const BUNDLED = process.env['QLORA_TINY_REPLICA'];

/** What tests run in worker threads: in one file where Vitest's set-up has made it, else the sources. */
const TINY_REPLICA =
  BUNDLED === undefined
    ? { module: new URL('./tiny-replica.ts', import.meta.url) }
    : { module: pathToFileURL(BUNDLED), execArgv: [] };

/** A worker thread of one copy, for who connects it. */
export function tinyReplicaWorker(): Worker {
  const { module, ...options } = TINY_REPLICA;
  return new Worker(module, options);
}

/** Copies of `tinyClassifier(setup.model)` in worker threads. */
export function startTinyReplicas(setup: TinyReplicaSetup, count = 1): Promise<Replicas> {
  return startReplicas({ ...TINY_REPLICA, count, setup });
}
