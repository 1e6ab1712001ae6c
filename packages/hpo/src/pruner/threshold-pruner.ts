import { checkAtLeast, checkOptions } from '../check-options';
import { HpoError, shown } from '../errors';
import { type StudyView } from '../study/study-view';
import { type FrozenTrial } from '../trial/frozen-trial';
import { isFirstOfInterval } from './interval';
import { type Pruner } from './pruner';

/** One of `lower` and `upper` at least. */
export interface ThresholdPrunerOptions {
  /** A value below it ends the trial. */
  lower?: number;
  /** A value above it ends the trial. */
  upper?: number;
  /** No pruning before this step. */
  nWarmupSteps?: number;
  /** Pruning is considered once in so many steps. */
  intervalSteps?: number;
}

/** Prunes a trial whose last reported value is NaN or outside of the thresholds. Source: optuna.pruners.ThresholdPruner. */
export class ThresholdPruner implements Pruner {
  private readonly options: Required<ThresholdPrunerOptions>;

  constructor(options: ThresholdPrunerOptions) {
    checkOptions('ThresholdPruner', options, ['lower', 'upper', 'nWarmupSteps', 'intervalSteps']);
    const { lower = -Infinity, upper = Infinity, nWarmupSteps = 0, intervalSteps = 1 } = options;
    if (options.lower === undefined && options.upper === undefined) {
      throw new HpoError('INVALID_ARGUMENT', 'ThresholdPruner needs lower or upper', { place: 'ThresholdPruner' });
    }
    if (!(lower <= upper)) {
      throw new HpoError(
        'INVALID_ARGUMENT',
        `lower and upper must be numbers, lower not above upper, but are ${shown(lower)} and ${shown(upper)}`,
        { place: 'ThresholdPruner', value: [lower, upper] },
      );
    }
    checkAtLeast('nWarmupSteps', nWarmupSteps, 0);
    checkAtLeast('intervalSteps', intervalSteps, 1);
    this.options = { lower, upper, nWarmupSteps, intervalSteps };
  }

  prune(_study: StudyView, trial: FrozenTrial): boolean {
    const { lower, upper, nWarmupSteps } = this.options;
    const step = trial.intermediateValues.lastStep;
    if (step === undefined || step < nWarmupSteps || !isFirstOfInterval(step, trial, this.options)) return false;
    const value = trial.intermediateValues.get(step)!;
    return !(value >= lower && value <= upper);
  }
}
