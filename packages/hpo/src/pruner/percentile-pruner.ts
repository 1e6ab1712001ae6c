import { checkAtLeast, checkOptions } from '../check-options';
import { HpoError, shown } from '../errors';
import { type StudyView } from '../study/study-view';
import { type FrozenTrial } from '../trial/frozen-trial';
import { isFirstOfInterval } from './interval';
import { type Pruner } from './pruner';

export interface PercentilePrunerOptions {
  /** Trials worse than this percentage of the others are pruned; 25 keeps the best quarter. */
  percentile: number;
  /** No pruning before so many trials have completed. */
  nStartupTrials?: number;
  /** No pruning before this step. */
  nWarmupSteps?: number;
  /** Pruning is considered once in so many steps. */
  intervalSteps?: number;
  /** No pruning at a step that fewer trials than this have reported. */
  nMinTrials?: number;
}

/** The options that MedianPruner has too. */
export const waitingOptions = ['nStartupTrials', 'nWarmupSteps', 'intervalSteps', 'nMinTrials'] as const;

/**
 * The percentile of the values that are numbers, between neighbours by linear interpolation; NaN where there is none.
 * Also NaN beside an infinite neighbour, so that such a step never prunes. Source: numpy.nanpercentile (method "linear").
 */
export function nanPercentile(values: readonly number[], percentile: number): number {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  if (sorted.length === 0) return NaN;
  const place = (sorted.length - 1) * (percentile / 100);
  const index = Math.floor(place);
  const [before, after] = [sorted[index]!, sorted[Math.min(index + 1, sorted.length - 1)]!];
  const fraction = place - index;
  const gap = after - before;
  return fraction < 0.5 ? before + gap * fraction : after - gap * (1 - fraction);
}

/**
 * Prunes a trial whose best reported value so far is worse than a percentile of what the completed trials reported at
 * the same step. Source: optuna.pruners.PercentilePruner.
 */
export class PercentilePruner implements Pruner {
  private readonly options: Required<PercentilePrunerOptions>;

  constructor(options: PercentilePrunerOptions) {
    checkOptions('PercentilePruner', options, ['percentile', ...waitingOptions]);
    const { percentile, nStartupTrials = 5, nWarmupSteps = 0, intervalSteps = 1, nMinTrials = 1 } = options;
    if (!(percentile >= 0 && percentile <= 100)) {
      throw new HpoError('INVALID_ARGUMENT', `percentile must be from 0 to 100, but is ${shown(percentile)}`, {
        value: percentile,
      });
    }
    checkAtLeast('nStartupTrials', nStartupTrials, 0);
    checkAtLeast('nWarmupSteps', nWarmupSteps, 0);
    checkAtLeast('intervalSteps', intervalSteps, 1);
    checkAtLeast('nMinTrials', nMinTrials, 1);
    this.options = { percentile, nStartupTrials, nWarmupSteps, intervalSteps, nMinTrials };
  }

  prune(study: StudyView, trial: FrozenTrial): boolean {
    const { percentile, nStartupTrials, nWarmupSteps, nMinTrials } = this.options;
    const completed = study.getTrials(['COMPLETE']);
    if (completed.length === 0 || completed.length < nStartupTrials) return false;
    const step = trial.intermediateValues.lastStep;
    if (step === undefined || step < nWarmupSteps || !isFirstOfInterval(step, trial, this.options)) return false;
    const { lowest, highest } = trial.intermediateValues;
    const best = study.direction === 'maximize' ? highest : lowest;
    // Nothing but NaN so far: not worth waiting for.
    if (Number.isNaN(best)) return true;
    const others = completed.flatMap((other) => other.intermediateValues.get(step) ?? []);
    if (others.length < nMinTrials) return false;
    if (study.direction === 'maximize') return best < nanPercentile(others, 100 - percentile);
    return best > nanPercentile(others, percentile);
  }
}
