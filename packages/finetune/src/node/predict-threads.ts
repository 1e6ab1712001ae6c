import { Worker } from 'node:worker_threads';
import type { BackendName } from '@qlora-js/kernels';
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
  readonly id: number;
  readonly inputIds: readonly (readonly number[])[];
  readonly adapter: string;
}

/** What came of it. */
export type ThreadAnswer =
  | { readonly id: number; readonly probabilities: Float32Array<ArrayBuffer> }
  | { readonly id: number; readonly error: string };

/** A worker thread with its own copy of the model; it doesn't keep the process alive while nothing is asked of it. */
export function startPredictThread(setup: PredictThreadSetup): BatchThread {
  const { module, execArgv } = threadModule('predict-thread');
  const worker = new Worker(module, { workerData: setup, ...(execArgv === undefined ? {} : { execArgv }) });
  const waiting = new Map<number, { resolve: (values: Float32Array) => void; reject: (error: Error) => void }>();
  let failure: FinetuneError | undefined;
  let asked = 0;
  worker.unref();
  const fail = (cause: string): void => {
    failure ??= new FinetuneError('THREAD_FAILED', `a thread that labels texts has failed: ${cause}`);
    for (const { reject } of waiting.values()) reject(failure);
    waiting.clear();
  };
  worker.on('message', (answer: ThreadAnswer) => {
    const request = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (waiting.size === 0) worker.unref();
    if ('error' in answer) request?.reject(new FinetuneError('THREAD_FAILED', answer.error));
    else request?.resolve(answer.probabilities);
  });
  worker.on('error', (error) => fail(error instanceof Error ? error.message : String(error)));
  worker.on('exit', (code) => fail(`it ended with exit code ${code}`));
  return {
    probabilities: (inputIds, adapter) =>
      new Promise((resolve, reject) => {
        if (failure !== undefined) return reject(failure);
        const id = asked++;
        waiting.set(id, { resolve, reject });
        worker.ref();
        worker.postMessage({ id, inputIds, adapter } satisfies ThreadRequest);
      }),
    end: async () => void (await worker.terminate()),
  };
}
