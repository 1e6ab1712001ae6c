import { join } from 'node:path';
import { shown, TrackingError } from '../errors';
import { type Tracker } from '../tracker';
import { MlflowTracker, mlflowLogin } from './mlflow/mlflow-tracker';
import { TensorBoardTracker } from './tensorboard/tensorboard-tracker';
import { WandbTracker, wandbLogin } from './wandb/wandb-tracker';

/** The names that `reportTo` takes. `jsonl` is always written; naming it asks for nothing else. */
export const TRACKER_NAMES = ['wandb', 'mlflow', 'tensorboard', 'jsonl'] as const;

/** A name that `reportTo` takes. */
export type TrackerName = (typeof TRACKER_NAMES)[number];

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Trackers, and the keys they hold, which must not be shown. */
export interface ChosenTrackers {
  readonly trackers: readonly Tracker[];
  readonly secrets: readonly string[];
}

/**
 * The trackers of some names, logged in by the environment. `WANDB_MODE=offline` (or `disabled`) leaves W&B out: the JSON lines
 * hold all that `syncRun` sends later.
 *
 * `reportTo` holds names, or `none`; `tensorboardFolder` is where event files go.
 *
 * @throws TrackingError UNKNOWN_TRACKER, MISSING_KEY, INVALID_ARGUMENT: before anything is trained
 */
export async function chooseTrackers({
  reportTo,
  tensorboardFolder,
  env = process.env,
}: {
  reportTo: readonly string[];
  tensorboardFolder: string;
  env?: Environment;
}): Promise<ChosenTrackers> {
  const trackers: Tracker[] = [];
  const secrets: string[] = [];
  for (const name of new Set(reportTo)) {
    if (name === 'wandb') {
      if (env['WANDB_MODE'] === 'offline' || env['WANDB_MODE'] === 'disabled') continue;
      const login = await wandbLogin(env);
      secrets.push(login.apiKey);
      trackers.push(new WandbTracker(login));
    } else if (name === 'mlflow') {
      const login = mlflowLogin(env);
      secrets.push(...(login.authorization?.split(' ').slice(1) ?? []), env['MLFLOW_TRACKING_PASSWORD'] ?? '');
      trackers.push(new MlflowTracker(login));
    } else if (name === 'tensorboard') {
      trackers.push(new TensorBoardTracker({ logDir: tensorboardFolder }));
    } else if (name !== 'jsonl') {
      throw new TrackingError('UNKNOWN_TRACKER', `there is no tracker ${shown(name)}`, {
        place: 'reportTo',
        value: name,
        remedy: `Choose from ${TRACKER_NAMES.join(', ')}`,
      });
    }
  }
  return { trackers, secrets };
}

/** Where a run's event files go by default: beside its JSON lines. */
export function tensorboardFolderOf(runFolder: string): string {
  return join(runFolder, 'tensorboard');
}
