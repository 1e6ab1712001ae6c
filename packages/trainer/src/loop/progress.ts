import { TrainerError } from '../errors';
import type { Stateful } from '../state/stateful';

/** Where a training stands between two steps. */
export interface ProgressState {
  /** Counted from 0. */
  readonly epoch: number;
  /** Accumulation windows done in it. */
  readonly window: number;
  /** An evaluation or a checkpoint that was due when the training was stopped. */
  readonly evaluationDue: boolean;
  readonly saveDue: boolean;
  /** Whether a callback has ended the training. */
  readonly ended: boolean;
}

/**
 * The place in the data. Since the order of rows is a function of (seed, epoch), and the dropout masks one of (seed, step,
 * row), this and the step are the position of every random stream.
 */
export class Progress implements Stateful<ProgressState> {
  epoch = 0;
  window = 0;
  evaluationDue = false;
  saveDue = false;
  ended = false;

  stateDict(): ProgressState {
    const { epoch, window, evaluationDue, saveDue, ended } = this;
    return { epoch, window, evaluationDue, saveDue, ended };
  }

  /** @throws TrainerError BAD_CHECKPOINT */
  loadStateDict({ epoch, window, evaluationDue, saveDue, ended }: ProgressState): void {
    for (const [name, value] of Object.entries({ epoch, window })) {
      if (Number.isInteger(value) && value >= 0) continue;
      throw new TrainerError('BAD_CHECKPOINT', `${name} is ${JSON.stringify(value)}, but a count is needed`, { value });
    }
    Object.assign(this, { epoch, window, evaluationDue, saveDue, ended });
  }

  /** Steps to the start of the next epoch. */
  nextEpoch(): void {
    this.epoch++;
    this.window = 0;
  }
}
