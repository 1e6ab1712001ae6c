import { basename, join } from 'node:path';
import type { FeedTiming, RunTracking } from '@qlora-js/tracking';
import { chooseTrackers, folderArtifact, RUN_FILE, trackRun, type Environment } from '@qlora-js/tracking/node';
import { rm } from 'node:fs/promises';
import { FINAL_ADAPTER } from '../run/stages';
import type { Output } from '../run/output';
import type { StartTracking } from '../tracking/start-tracking';

/** Where trackers show a run, and which. */
export interface TrackingSettings {
  /** Trackers by name: `wandb`, `mlflow`, `tensorboard`, `jsonl`. Default: the JSON lines alone, which are always written. */
  readonly reportTo?: readonly string[];
  /** W&B's project, MLflow's experiment. Default `qlora`. */
  readonly project?: string;
  /** W&B's user or team. Default: the key's own. */
  readonly entity?: string;
  /** What holds a search's runs together. Default: the output folder's name. */
  readonly group?: string;
  /** Words to find the runs by. */
  readonly tags?: readonly string[];
  /** Where keys and addresses of servers come from. Default process.env. */
  readonly env?: Environment;
  /** How patient the feeding is. */
  readonly timing?: FeedTiming;
}

/** Folder of the trials' records in a run's folder. */
export const TRIALS_FOLDER = 'trials';

/** The records of one run's trainings, in its folder. */
export interface FolderRecords {
  /** Begins one: the final training's in the run's folder, a trial's in `trials/NAME`. */
  readonly start: StartTracking;
  /** Ends those that are not at their end, and waits, within limits, for the trackers. */
  close(): Promise<void>;
}

/**
 * @throws TrackingError UNKNOWN_TRACKER, MISSING_KEY, before anything is loaded
 */
export async function checkTrackers({ reportTo = [], env }: TrackingSettings): Promise<void> {
  await chooseTrackers({ reportTo, env, tensorboardFolder: '.' });
}

/** Records below a run's folder, shown in trackers. A search's runs are one group. */
export function folderRecords(
  folder: string,
  { reportTo, project, entity, tags, env, timing, ...settings }: TrackingSettings,
  { search, output }: { readonly search: boolean; readonly output: Output },
): FolderRecords {
  const group = settings.group ?? (search ? basename(folder) : undefined);
  const runs: RunTracking[] = [];
  const report = oncePerTracker(folder, output);
  return {
    start: async (adapterName, run) => {
      const own = adapterName === FINAL_ADAPTER ? folder : join(folder, TRIALS_FOLDER, adapterName);
      const described = { ...run, project, entity, group, tags };
      const tracking = await trackRun({ folder: own, run: described, reportTo, env, timing, report: report.line });
      runs.push(tracking);
      return tracking;
    },
    close: async () => {
      await Promise.all(runs.map((run) => run.finish('failed')));
      report.end();
    },
  };
}

/** Adds the adapter's files to a run's record. */
export async function recordAdapter(tracking: RunTracking, folder: string, names: readonly string[]): Promise<void> {
  const files = await folderArtifact({ folder, runFolder: folder, names });
  tracking.artifact({ name: `adapter-${tracking.id}`, type: 'model', ...files });
}

/** Takes away what an earlier run has recorded in a folder, which would else be gone on with. */
export async function removeRecords(folder: string): Promise<void> {
  for (const name of [RUN_FILE, 'trackers', 'tensorboard', TRIALS_FOLDER])
    await rm(join(folder, name), { recursive: true, force: true });
}

/** What trackers have to say of all runs of a search: each trouble once, and at the end how what is missing is sent. */
function oncePerTracker(folder: string, output: Output): { line: (text: string) => void; end: () => void } {
  const troubled = new Set<string>();
  const behind = new Set<string>();
  return {
    line: (text) => {
      const [, tracker, missing] = /^tracker (\w+): (not everything has arrived)?/.exec(text) ?? [];
      if (tracker === undefined) output.line(text);
      else if (missing !== undefined) behind.add(tracker);
      else if (!troubled.has(tracker)) {
        troubled.add(tracker);
        output.warn(text);
      }
    },
    end: () => {
      if (behind.size === 0) return;
      output.warn(
        `not everything has arrived at ${[...behind].join(', ')}; syncRuns, or qlora sync ${folder}, sends the rest`,
      );
    },
  };
}
