import { HpoError, TrialPruned } from '@qlora-js/hpo';
import { KernelError } from '@qlora-js/kernels';
import { TrainerError } from '@qlora-js/trainer';
import { FinetuneError } from '../errors';

/** A trial that failed by itself; the search goes on. */
export class TrialFailed extends Error {
  override readonly name = 'TrialFailed';
}

/** Whether an error ends the run and not the trial, which is then gone on with by a later run. */
export function isInterruption(error: unknown): boolean {
  if (TrainerError.isInstance(error)) return error.code === 'STOPPED' || error.code === 'UNWRITABLE';
  return KernelError.isInstance(error) && error.code === 'DEVICE_LOST';
}

/** An error as the search takes it: what concerns one trial alone becomes TrialFailed. */
export function ofTrial(error: unknown): unknown {
  if (TrialPruned.isInstance(error) || HpoError.isInstance(error) || isInterruption(error)) return error;
  return new TrialFailed(error instanceof Error ? error.message : String(error), { cause: error });
}

/** So many trials of a run that fail alike from its beginning on leave no hope for the next. */
const FAILURES = 3;

/** Ends a search whose first trials all fail for one reason. */
export class FailingAlike {
  private readonly reasons: string[] = [];
  private anyEnded = false;

  /**
   * Notes why a trial failed; undefined where it did not.
   *
   * @throws FinetuneError NOTHING_FOUND
   */
  note(reason: string | undefined): void {
    if (reason === undefined) this.anyEnded = true;
    else this.reasons.push(reason);
    if (this.anyEnded || this.reasons.length < FAILURES || new Set(this.reasons).size > 1) return;
    throw new FinetuneError('NOTHING_FOUND', `the first ${FAILURES} trials all failed: ${this.reasons[0]!}`);
  }
}
