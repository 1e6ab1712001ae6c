import type { JsonValue, Study } from '@qlora-js/hpo';

/** The process that runs a search, for others that find its trials. */
export interface SearchWorker {
  /** What is kept with its trials: a machine's name and a process id, say. */
  readonly id: JsonValue;
  /** Whether the process of another such id is known to have ended. */
  readonly isDead: (other: JsonValue) => boolean;
}

/** System attribute of a trial with the id of the worker that runs it. */
export const WORKER = 'worker';
/** System attribute of a trial whose worker has died, with the number of its reports at that moment. */
const DIED_AT = 'died_at';

/**
 * Puts trials whose process has died back into the queue under their own numbers, so that they are gone on with from
 * their checkpoints. One whose process has died twice without a report in between is ended: it may be what kills it.
 */
export async function takeUpLeftTrials(
  study: Study,
  worker: SearchWorker | undefined,
  say: (line: string) => void,
): Promise<void> {
  for (const trial of study.getTrials(['RUNNING'])) {
    const by = trial.systemAttrs[WORKER];
    if (by !== undefined && worker !== undefined && !worker.isDead(by)) {
      say(`trial ${trial.number} is run by another process (${JSON.stringify(by)}) and is left to it`);
      continue;
    }
    const reports = trial.intermediateValues.size;
    if (trial.systemAttrs[DIED_AT] === reports) {
      await study.tell(trial.number, undefined, { state: 'FAIL' });
      say(`trial ${trial.number}: failed, its process ended twice at the same place`);
    } else {
      study.storage.setTrialSystemAttr(trial.id, DIED_AT, reports);
      await study.requeueTrial(trial);
      say(`trial ${trial.number} was interrupted and is gone on with`);
    }
  }
}
