import { createHash } from 'node:crypto';

/** What workers are to be started. */
export interface WorkerJobs {
  /** Name of the study: what they are found by. */
  readonly study: string;
  /** How many. */
  readonly workers: number;
  /** CPU cores of each. */
  readonly cpus: number;
  /** GPUs of each. */
  readonly gpus: number;
  /**
   * The shell command of a worker.
   *
   * @param index what stands for its number: a number, or the shell's word for it
   */
  readonly command: (index: string) => string;
}

/** A worker as the engine that runs it knows it. */
export interface WorkerState {
  /** The engine's name for it. */
  readonly id: string;
  /** The engine's word for how it is. */
  readonly state: string;
}

/**
 * An engine that runs workers. It starts, lists and stops them and knows nothing of trials: workers meet in their study's
 * storage, so that losing the launcher, or the machine that it ran on, loses nothing.
 */
export interface Launcher {
  /** Starts workers, and returns the engine's names for them. */
  start(jobs: WorkerJobs): Promise<readonly string[]>;
  /** The workers of a study that the engine still knows. */
  list(study: string): Promise<readonly WorkerState[]>;
  /** Ends the workers of a study; returns the names of those that it has ended. */
  stop(study: string): Promise<readonly string[]>;
  /** Follows what workers print until all have ended or the signal is aborted; undefined where the engine keeps logs in files. */
  readonly follow?: (ids: readonly string[], line: (text: string) => void, signal: AbortSignal) => Promise<void>;
}

/**
 * A study's name as engines take it in names: lower-case letters, digits and dashes, 40 at most. Where that is not the name
 * itself, eight digits of its SHA-256 tell it from others that come to the same.
 */
export function engineName(study: string): string {
  const name = study
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replaceAll(/^-+|-+$/g, '');
  if (name === study && name !== '') return `qlora-${name}`;
  const digest = createHash('sha256').update(study).digest('hex').slice(0, 8);
  return `qlora-${name === '' ? 'search' : name}-${digest}`;
}
