import type { ReadableFiles } from '@qlora-js/hub';
import { TrainerError } from '../errors';
import { parseTrainerState, type TrainerState } from '../state/trainer-state';
import { stepOf } from './keeper';
import { verified } from './manifest';
import type { RunIdentity } from './run-identity';
import { decodeStates, parseObject, type States } from './state-files';
import type { CheckpointFiles, CheckpointStore } from './store';

/** The file that transformers keeps a run's state in. */
export const TRAINER_STATE = 'trainer_state.json';

/** A checkpoint that was read whole and found good. */
export interface LoadedCheckpoint {
  /** Where it lies, in words for people. */
  readonly place: string;
  readonly run: RunIdentity;
  readonly state: TrainerState;
  /** States of the run's parts. */
  readonly states: States;
  /** Its files, the model's among them. */
  readonly files: ReadableFiles;
  /** The same, to be written elsewhere. */
  readonly contents: CheckpointFiles;
}

/**
 * Reads the checkpoint that a run is to go on from. For `true` that is the newest good one, with a line for each that is
 * not; undefined where there is none at all.
 *
 * @throws TrainerError BAD_CHECKPOINT where the one named is not good, or none of those there are is
 */
export async function readCheckpoint(
  store: CheckpointStore,
  which: true | string,
  log: (line: string) => void,
): Promise<LoadedCheckpoint | undefined> {
  if (which !== true) return load(store, which);
  const names = await checkpointNames(store);
  const refused: string[] = [];
  for (const name of names.reverse()) {
    try {
      const loaded = await load(store, name);
      for (const line of refused) log(`${line}; going on from the one before`);
      return loaded;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      refused.push(error.message);
    }
  }
  if (refused.length === 0) return undefined;
  throw new TrainerError('BAD_CHECKPOINT', `no checkpoint can be gone on from: ${refused.join('; ')}`);
}

/** Names of a store's checkpoints, oldest first. */
export async function checkpointNames(store: CheckpointStore): Promise<string[]> {
  const names = (await store.list()).filter((name) => stepOf(name) !== undefined);
  return names.sort((a, b) => stepOf(a)! - stepOf(b)!);
}

async function load(store: CheckpointStore, name: string): Promise<LoadedCheckpoint> {
  const { manifest, files, contents } = await verified(await store.open(name));
  const place = `${files.id}/${TRAINER_STATE}`;
  const state = parseTrainerState(parseObject(await files.text(TRAINER_STATE), place), place);
  return { place: files.id, run: manifest.run, state, states: await decodeStates(files), files, contents };
}
