import { engine } from '@tensorflow/tfjs-core';
import type { TrainingArguments } from '../arguments/types';
import { checkpointName } from '../checkpoints/keeper';
import { checkpointNames, readCheckpoint, type LoadedCheckpoint } from '../checkpoints/resume';
import {
  changesBetween,
  courseOf,
  environmentChanges,
  refuseChanges,
  type RunIdentity,
} from '../checkpoints/run-identity';
import type { CheckpointStore } from '../checkpoints/store';
import { TrainerError } from '../errors';
import { fingerprintRows } from '../model/fingerprint';
import type { UploadedBatch } from '../model/trainable-model';
import { VERSION } from '../version';
import type { TrainerOptions } from './options';

/** How a training begins. */
export type StartOptions = Pick<TrainingArguments, 'resumeFromCheckpoint' | 'acceptChanges'>;

/** What a checkpoint of this training will say it is made of. */
export async function identityOf<Batch extends UploadedBatch>({
  model,
  args,
  trainDataset,
  evalDataset,
  replicas,
  hashes = {},
}: TrainerOptions<Batch>): Promise<RunIdentity> {
  const base = await model.fingerprint?.();
  return {
    hashes: {
      ...(base === undefined ? {} : { base }),
      data: await fingerprintRows(trainDataset, evalDataset),
      ...hashes,
    },
    arguments: courseOf(args),
    environment: { version: VERSION, backend: engine().backendName, threads: 1 + (replicas?.count ?? 0) },
  };
}

/** What `openCheckpoints` looks at. */
export interface OpenCheckpointsOptions {
  readonly store: CheckpointStore;
  readonly args: TrainingArguments;
  readonly start: StartOptions;
  readonly identity: RunIdentity;
  readonly log: (line: string) => void;
}

/** What a training begins with. */
export interface OpenedCheckpoints {
  /** What it goes on from; undefined from the start. */
  readonly loaded: LoadedCheckpoint | undefined;
  /** Checkpoints that are the run's already. */
  readonly names: readonly string[];
  /** Whether the checkpoint's place in the data means nothing in these data. */
  readonly rowsChanged: boolean;
}

/** Changes after which an epoch is made of other steps. */
const OTHER_ROWS = ['data', 'perDeviceTrainBatchSize', 'gradientAccumulationSteps'];

/**
 * Makes the store ready, and reads what the training is to go on from.
 *
 * @throws TrainerError BAD_CHECKPOINT for a checkpoint that is not good or of another run; BAD_ARGUMENT where a new run would
 *   write among the checkpoints of an earlier one
 */
export async function openCheckpoints(options: OpenCheckpointsOptions): Promise<OpenedCheckpoints> {
  const { store, args, start, identity, log } = options;
  for (const line of await store.prepare()) log(line);
  const { resumeFromCheckpoint: which, acceptChanges } = start;
  const names = await checkpointNames(store);
  if (which === false) {
    await beginAnew(store, names, args.overwriteOutputDir);
    return { loaded: undefined, names: [], rowsChanged: false };
  }
  const loaded = await readCheckpoint(store, which, log);
  if (loaded === undefined) {
    log(`${args.outputDir} has no checkpoint: the training starts from the beginning`);
    return { loaded, names: [], rowsChanged: false };
  }
  const changes = changesBetween(loaded.run, identity);
  refuseChanges(changes, acceptChanges, loaded.place);
  for (const { name, effect } of changes) log(`${loaded.place}: another ${name} is accepted; ${effect}`);
  for (const line of environmentChanges(loaded.run, identity)) log(`${loaded.place}: ${line}; last digits may differ`);
  await adopt(store, loaded, names);
  if (args.loadBestModelAtEnd) requireBest(loaded, names);
  log(`${loaded.place}: going on after step ${loaded.state.globalStep}`);
  return { loaded, names, rowsChanged: changes.some(({ name }) => OTHER_ROWS.includes(name)) };
}

/** A checkpoint from elsewhere, as one that was rescued from a full disk, becomes one of the store's. */
async function adopt(store: CheckpointStore, loaded: LoadedCheckpoint, names: string[]): Promise<void> {
  const name = checkpointName(loaded.state.globalStep);
  if (names.includes(name)) return;
  await store.save(name, loaded.contents);
  names.push(name);
}

/** @throws TrainerError BAD_CHECKPOINT where the run could not load its best weights at its end */
function requireBest({ state, place }: LoadedCheckpoint, names: readonly string[]): void {
  const { bestModelCheckpoint: best } = state;
  if (best === null || names.includes(best)) return;
  throw new TrainerError(
    'BAD_CHECKPOINT',
    `the best weights so far are those of ${best}, which is not beside ${place}`,
    {
      value: best,
      remedy: 'put it into outputDir, or go on with loadBestModelAtEnd: false',
    },
  );
}

async function beginAnew(store: CheckpointStore, names: readonly string[], overwrite: boolean): Promise<void> {
  const [first] = names;
  if (first === undefined) return;
  if (!overwrite) {
    throw new TrainerError('BAD_ARGUMENT', `${store.locate(first)} is there from an earlier run`, {
      value: first,
      remedy:
        'go on from it with resumeFromCheckpoint: true, take another outputDir, or have it deleted with overwriteOutputDir: true',
    });
  }
  for (const name of names) await store.remove(name);
}
