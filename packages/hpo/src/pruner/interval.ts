import { type FrozenTrial } from '../trial/frozen-trial';

/** When a pruner looks at a trial. */
export interface Interval {
  /** No pruning before this step. */
  nWarmupSteps: number;
  /** Pruning is considered once in so many steps. */
  intervalSteps: number;
}

/** Whether no earlier report fell into the interval that `step` is in. Source: optuna's _is_first_in_interval_step. */
export function isFirstOfInterval(
  step: number,
  trial: FrozenTrial,
  { nWarmupSteps, intervalSteps }: Interval,
): boolean {
  const start = Math.floor((step - nWarmupSteps) / intervalSteps) * intervalSteps + nWarmupSteps;
  return trial.intermediateValues.stepBeforeLast < start;
}
