import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { TrainerError } from '../errors';
import type { ReplicaLink, ReplicaPort } from '../replicas/port';
import { Replicas } from '../replicas/replicas';

export interface StartReplicasOptions<Setup = unknown> {
  /** The module that calls `serveReplica(mainThreadPort(), ...)`. */
  readonly module: URL;
  /** Threads beside the main one: processor cores less one, at most. */
  readonly count: number;
  /** What each replica builds its model from: anything that structured cloning takes. */
  readonly setup: Setup;
  /** Node's options for the threads, such as a loader for TypeScript. Default: those of this process. */
  readonly execArgv?: readonly string[];
}

/**
 * Starts worker threads and has each build its copy of the model. They don't keep the process alive; `dispose` of the
 * result ends them.
 *
 * @throws TrainerError REPLICA_FAILED where a thread can't be started or its model can't be built, with all ended;
 *   BAD_ARGUMENT where count is no whole number of 1 or more
 */
export async function startReplicas<Setup>(options: StartReplicasOptions<Setup>): Promise<Replicas> {
  const { module, count, setup, execArgv } = options;
  if (!Number.isInteger(count) || count < 1) {
    throw new TrainerError(
      'BAD_ARGUMENT',
      `the count of replicas is ${count}, but a whole number of 1 or more is needed`,
    );
  }
  const links = Array.from({ length: count }, () =>
    workerLink(new Worker(module, execArgv === undefined ? {} : { execArgv: [...execArgv] })),
  );
  return Replicas.connect({ links, setup });
}

/** The main thread's end of a worker thread; for threads that the caller starts. */
export function workerLink(worker: Worker): ReplicaLink {
  worker.unref();
  return {
    post: (message, transfer = []) => worker.postMessage(message, [...transfer]),
    listen: (listener) => void worker.on('message', listener),
    onEnd: (listener) => {
      worker.on('error', listener);
      worker.on('messageerror', listener);
      worker.on('exit', (code) => listener(new Error(`its thread ended with exit code ${code}`)));
    },
    waiting: (due) => (due ? worker.ref() : worker.unref()),
    end: async () => void (await worker.terminate()),
  };
}

/**
 * The replica's end, in a module that `startReplicas` runs; and that of any other worker thread.
 *
 * @throws TrainerError BAD_ARGUMENT on the main thread
 */
export function mainThreadPort(): ReplicaPort {
  const port = parentPort;
  if (isMainThread || port === null) {
    throw new TrainerError(
      'BAD_ARGUMENT',
      'mainThreadPort is for modules of worker threads, but this is the main thread',
    );
  }
  return {
    post: (message, transfer = []) => port.postMessage(message, [...transfer]),
    listen: (listener) => void port.on('message', listener),
  };
}
