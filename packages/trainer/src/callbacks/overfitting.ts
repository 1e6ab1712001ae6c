import { TrainerError } from '../errors';
import type { LogRow } from '../state/trainer-state';
import type { CallbackContext, TrainerCallback } from './callback';

/** What `OverfittingCallback` looks for. */
export interface OverfittingOptions {
  /** Evaluations in a row over which the gap has to widen; default 3. */
  readonly evaluations?: number;
  /** Whether that ends the training. Default false. */
  readonly stop?: boolean;
  /** Takes the warning; default console.warn. */
  readonly log?: (line: string) => void;
}

/** What `OverfittingCallback` keeps in a checkpoint. */
interface OverfittingState {
  readonly trainingLoss: number | null;
  readonly gap: number | null;
  readonly widened: number;
  readonly markedStep: number | null;
}

/**
 * Follows the gap between the validation loss and the training loss logged last, and says so once it has widened in so many
 * evaluations in a row while the training loss fell.
 */
export class OverfittingCallback implements TrainerCallback {
  readonly name = 'OverfittingCallback';
  /** The first step at which it was seen. */
  markedStep: number | null = null;
  private readonly evaluations: number;
  private readonly stop: boolean;
  private readonly log: (line: string) => void;
  private trainingLoss: number | null = null;
  private gap: number | null = null;
  private widened = 0;

  /** @throws TrainerError BAD_ARGUMENT */
  constructor({ evaluations = 3, stop = false, log = (line) => console.warn(line) }: OverfittingOptions = {}) {
    if (!Number.isInteger(evaluations) || evaluations < 1) {
      throw new TrainerError('BAD_ARGUMENT', `evaluations is ${evaluations}, but a positive integer is needed`);
    }
    this.evaluations = evaluations;
    this.stop = stop;
    this.log = log;
  }

  onLog({ logs }: CallbackContext & { readonly logs: LogRow }): void {
    this.trainingLoss = logs['loss'] ?? this.trainingLoss;
  }

  onEvaluate({ metrics, state, control }: CallbackContext & { readonly metrics: LogRow }): void {
    const loss = metrics['eval_loss'];
    if (loss === undefined || this.trainingLoss === null) return;
    const gap = loss - this.trainingLoss;
    this.widened = this.gap !== null && gap > this.gap ? this.widened + 1 : 0;
    this.gap = gap;
    if (this.widened < this.evaluations) return;
    if (this.markedStep === null) {
      this.markedStep = state.globalStep;
      this.log(
        `step ${state.globalStep}: overfitting: the validation loss ${loss.toFixed(4)} has drawn away from the training loss ` +
          `${this.trainingLoss.toFixed(4)} in ${this.widened} evaluations in a row; stop earlier, or use more data, dropout or weight decay`,
      );
    }
    if (this.stop) control.shouldTrainingStop = true;
  }

  stateDict(): OverfittingState {
    const { trainingLoss, gap, widened, markedStep } = this;
    return { trainingLoss, gap, widened, markedStep };
  }

  loadStateDict(state: object): void {
    const { trainingLoss = null, gap = null, widened = 0, markedStep = null } = state as Partial<OverfittingState>;
    Object.assign(this, { trainingLoss, gap, widened, markedStep });
  }
}
