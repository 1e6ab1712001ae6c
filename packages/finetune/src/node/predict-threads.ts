import { Worker } from 'node:worker_threads';
import type { BackendName } from '@qlora-js/kernels';
import { AskedThread } from '@qlora-js/trainer';
import { workerLink } from '@qlora-js/trainer/node';
import { FinetuneError } from '../errors';
import type { BatchThread } from '../predict/batch-thread';
import type { HubOptions } from './open-base';
import { threadModule } from './thread-module';

/** What a thread builds its copy from. */
export interface PredictThreadSetup {
  /** Folders by adapter. */
  readonly adapters: Readonly<Record<string, string>>;
  /** Folder or hub id of the base. */
  readonly base: string | undefined;
  /** The main thread's backend. */
  readonly backend: BackendName;
  /** For a base on the hub. */
  readonly hub: Omit<HubOptions, 'onProgress'>;
}

/** A batch to label. */
export interface ThreadRequest {
  readonly kind: 'label';
  readonly inputIds: readonly (readonly number[])[];
  readonly adapter: string;
}

/** What came of it. */
export interface ThreadAnswer {
  readonly kind: 'labelled';
  /** [rows, labels], flat. */
  readonly outputs: Float32Array<ArrayBuffer>;
}

/** A worker thread with its own copy of the model; it doesn't keep the process alive while nothing is asked of it. */
export function startPredictThread(setup: PredictThreadSetup): BatchThread {
  const { module, execArgv } = threadModule('predict-thread');
  const link = workerLink(new Worker(module, { workerData: setup, ...(execArgv === undefined ? {} : { execArgv }) }));
  const failed = (what: string, message: string, cause?: unknown): FinetuneError =>
    new FinetuneError('THREAD_FAILED', `a thread that labels texts failed ${what}: ${message}`, { cause });
  const thread = new AskedThread<ThreadRequest, ThreadAnswer>(link, failed, (error) => void thread.end(error));
  return {
    outputs: async (inputIds, adapter) => {
      const request = { kind: 'label', inputIds, adapter } as const;
      return (await thread.ask(request, { answer: 'labelled', what: 'at a batch' })).outputs;
    },
    end: () => thread.end(failed('to answer', 'it was ended')),
  };
}
