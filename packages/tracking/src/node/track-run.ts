import { type FeedTiming } from '../feed';
import { type RunDescription } from '../run-event';
import { RunTracking } from '../run-tracking';
import { readArtifactFile } from './artifact-files';
import { folderStore } from './folder-store';
import { readRunEvents } from './read-run';
import { chooseTrackers, type Environment, tensorboardFolderOf } from './report-to';

/** What a run in a folder is recorded with. */
export interface TrackRunOptions {
  /** The run's folder; `run.jsonl` in it is the truth that trackers are fed from. */
  readonly folder: string;
  readonly run: RunDescription;
  /** Trackers by name: `wandb`, `mlflow`, `tensorboard`, `jsonl`. Default: the JSON lines alone. */
  readonly reportTo?: readonly string[];
  /** Where TensorBoard's event files go. Default: `tensorboard` in the folder; the same for all runs that a table compares. */
  readonly tensorboardFolder?: string;
  /** Takes warnings. Default console.warn. */
  readonly report?: (line: string) => void;
  /** Where keys and addresses of servers come from. Default process.env. */
  readonly env?: Environment;
  /** How patient the feeding is. */
  readonly timing?: FeedTiming;
}

/**
 * Records a run in a folder and shows it in trackers. A folder that holds a run already is gone on with: the same id, and what
 * trackers have not seen of the earlier part is sent too.
 *
 * @throws TrackingError UNKNOWN_TRACKER, MISSING_KEY, WRITE_FAILED, INVALID_ARGUMENT: before anything is trained
 */
export async function trackRun(options: TrackRunOptions): Promise<RunTracking> {
  const { folder, reportTo = [], env, tensorboardFolder = tensorboardFolderOf(folder), report, timing } = options;
  const { trackers, secrets } = await chooseTrackers({ reportTo, env, tensorboardFolder });
  const store = folderStore(folder);
  const earlier = await readRunEvents(folder, { upToStart: true });
  const id = options.run.id ?? earlier.find((event) => event.event === 'start')?.id;
  return new RunTracking({
    store,
    run: { ...options.run, id, reportTo },
    trackers,
    secrets,
    report,
    timing,
    readArtifact: (artifact, path) => readArtifactFile(store, artifact, path),
  });
}
