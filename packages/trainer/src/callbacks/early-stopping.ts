import { TrainerError } from '../errors';
import type { LogRow } from '../state/trainer-state';
import type { CallbackContext, TrainerCallback } from './callback';

/** When `EarlyStoppingCallback` stops. */
export interface EarlyStoppingOptions {
  /** Evaluations in a row without an improvement; default 1. */
  readonly earlyStoppingPatience?: number;
  /** How much better a metric has to be to count as an improvement; default 0. */
  readonly earlyStoppingThreshold?: number;
}

/** What `EarlyStoppingCallback` keeps in a checkpoint, by transformers' names. */
export interface EarlyStoppingState {
  readonly args: { readonly early_stopping_patience: number; readonly early_stopping_threshold: number };
  readonly attributes: { readonly early_stopping_patience_counter: number };
}

/** Stops a training whose metric gets no better (transformers, trainer_callback.py EarlyStoppingCallback). */
export class EarlyStoppingCallback implements TrainerCallback {
  /** As transformers calls its state. */
  readonly name = 'EarlyStoppingCallback';
  private readonly patience: number;
  private readonly threshold: number;
  private counter = 0;

  /** @throws TrainerError BAD_ARGUMENT */
  constructor({ earlyStoppingPatience = 1, earlyStoppingThreshold = 0 }: EarlyStoppingOptions = {}) {
    if (!Number.isInteger(earlyStoppingPatience) || earlyStoppingPatience < 1) {
      throw new TrainerError(
        'BAD_ARGUMENT',
        `earlyStoppingPatience is ${earlyStoppingPatience}, but a positive integer is needed`,
      );
    }
    this.patience = earlyStoppingPatience;
    this.threshold = earlyStoppingThreshold;
  }

  onTrainBegin({ args }: CallbackContext): void {
    if (args.metricForBestModel === null) {
      throw new TrainerError('BAD_ARGUMENT', 'EarlyStoppingCallback needs metricForBestModel, and there is none');
    }
    if (args.evalStrategy === 'no') {
      throw new TrainerError('BAD_ARGUMENT', "EarlyStoppingCallback needs an evalStrategy other than 'no'");
    }
  }

  onEvaluate({ args, state, control, metrics }: CallbackContext & { readonly metrics: LogRow }): void {
    const value = metrics[`eval_${args.metricForBestModel}`];
    // An evaluation of another data set has other keys.
    if (value === undefined) return;
    const { bestMetric } = state;
    const better =
      bestMetric === null ||
      ((args.greaterIsBetter ? value > bestMetric : value < bestMetric) &&
        Math.abs(value - bestMetric) > this.threshold);
    this.counter = better ? 0 : this.counter + 1;
    if (this.counter >= this.patience) control.shouldTrainingStop = true;
  }

  stateDict(): EarlyStoppingState {
    return {
      args: { early_stopping_patience: this.patience, early_stopping_threshold: this.threshold },
      attributes: { early_stopping_patience_counter: this.counter },
    };
  }

  loadStateDict(state: object): void {
    const { attributes } = state as Partial<EarlyStoppingState>;
    this.counter = attributes?.early_stopping_patience_counter ?? 0;
  }
}
