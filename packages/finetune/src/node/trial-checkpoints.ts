import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { STUDY_NAME } from '../search/search';

/** Folder of the checkpoints in a run's folder. */
export const CHECKPOINTS_FOLDER = 'checkpoints';

/**
 * Where a search keeps the checkpoints of its trials: in the run's folder, or in a folder that workers share, where each
 * study has one of its own name, since all have a trial 0.
 */
export function trialCheckpointsFolder(
  folder: string,
  { checkpoints, study = STUDY_NAME }: { readonly checkpoints?: string; readonly study?: string },
): string {
  if (checkpoints === undefined) return join(folder, CHECKPOINTS_FOLDER);
  // A name may hold what a path takes for a way elsewhere.
  return join(checkpoints, encodeURIComponent(study).replace(/^\./, '%2E'));
}

/** Takes away the checkpoints that an earlier run's trials have left in its folder. */
export async function removeTrialCheckpoints(folder: string): Promise<void> {
  const checkpoints = join(folder, CHECKPOINTS_FOLDER);
  const names = await readdir(checkpoints).catch(() => []);
  for (const name of names.filter((it) => /^trial-\d+$/.test(it)))
    await rm(join(checkpoints, name), { recursive: true, force: true });
}
