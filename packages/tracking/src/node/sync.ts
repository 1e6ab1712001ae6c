import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { reasonOf, TrackingError } from '../errors';
import { Feed, type FeedOutcome, type FeedTiming } from '../feed';
import { type StartEvent } from '../run-event';
import { readArtifactFile } from './artifact-files';
import { folderStore, RUN_FILE } from './folder-store';
import { readRunEvents } from './read-run';
import { chooseTrackers, type Environment, tensorboardFolderOf } from './report-to';

/** What is sent where. */
export interface SyncOptions {
  /** A run's folder, or one with runs somewhere below it. */
  readonly folder: string;
  /** Trackers by name. Default: those that each run named. */
  readonly reportTo?: readonly string[];
  /** Where TensorBoard's event files go. Default: `tensorboard` in each run's folder. */
  readonly tensorboardFolder?: string;
  /** Takes one line for what did not arrive, and the addresses of runs. Default console.warn. */
  readonly report?: (line: string) => void;
  /** Where keys and addresses of servers come from. Default process.env. */
  readonly env?: Environment;
  /** How patient the feeding is. */
  readonly timing?: FeedTiming;
}

/** What came of one run. */
export interface SyncedRun {
  readonly folder: string;
  readonly trackers: readonly FeedOutcome[];
}

/** Folders below folders that are looked at: a search holds its trials, an experiment its searches. */
const DEEPEST = 6;

/**
 * Sends what trackers have not received of the runs in a folder: of runs offline, with a tracker that was down, or that were
 * killed. A run is sent by one process at a time.
 *
 * @throws TrackingError READ_FAILED where there is no run, UNKNOWN_TRACKER, MISSING_KEY
 */
export async function syncRuns(options: SyncOptions): Promise<SyncedRun[]> {
  const folders = await runFolders(options.folder);
  if (folders.length === 0) {
    throw new TrackingError('READ_FAILED', `there is no ${RUN_FILE} in it or below`, {
      place: options.folder,
      remedy: "Name a run's folder",
    });
  }
  const synced: SyncedRun[] = [];
  for (const folder of folders) synced.push({ folder, trackers: await syncRun(folder, options) });
  return synced;
}

async function syncRun(folder: string, options: SyncOptions): Promise<FeedOutcome[]> {
  const { env = { ...process.env, WANDB_MODE: undefined }, report = console.warn, timing = {} } = options;
  const start = (await readRunEvents(folder, { upToStart: true })).find(
    (event): event is StartEvent => event.event === 'start',
  );
  const { tensorboardFolder = tensorboardFolderOf(folder), reportTo = start?.reportTo ?? [] } = options;
  const { trackers } = await chooseTrackers({ reportTo, env, tensorboardFolder });
  const store = folderStore(folder, { writable: false });
  const feeds = trackers.map(
    (tracker) =>
      new Feed({
        store,
        tracker,
        timing,
        report,
        readArtifact: (artifact, path) => readArtifactFile(store, artifact, path),
      }),
  );
  return Promise.all(feeds.map((feed) => feed.finish()));
}

/** Every folder at or below one that holds a run, in order of their names. */
export async function runFolders(folder: string, depth = 0): Promise<string[]> {
  let entries;
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    throw new TrackingError('READ_FAILED', reasonOf(error), { place: folder, cause: error });
  }
  const found = entries.some((entry) => entry.isFile() && entry.name === RUN_FILE) ? [folder] : [];
  if (depth >= DEEPEST) return found;
  const below = entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map((entry) => entry.name);
  for (const name of below.sort()) found.push(...(await runFolders(join(folder, name), depth + 1)));
  return found;
}
