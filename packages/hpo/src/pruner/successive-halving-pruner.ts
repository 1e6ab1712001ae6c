import { checkAtLeast, checkOptions } from '../check-options';
import { HpoError } from '../errors';
import { ownProperty } from '../own-property';
import { type Direction } from '../study/direction';
import { type StudyView } from '../study/study-view';
import { type FrozenTrial } from '../trial/frozen-trial';
import { type Pruner } from './pruner';

export interface SuccessiveHalvingPrunerOptions {
  /** Steps to the first rung; 'auto': a hundredth of the longest completed trial's, known once one has completed. */
  minResource?: number | 'auto';
  /** One in so many trials goes on from a rung to the next, which is so many times further. */
  reductionFactor?: number;
  /** Leaves out so many of the first rungs. */
  minEarlyStoppingRate?: number;
  /** Trials that must reach a rung before any is promoted from it. */
  bootstrapCount?: number;
}

/** System attribute with the value that a trial had at a rung. Source: optuna's _completed_rung_key. */
function rungKey(rung: number): string {
  return `completed_rung_${rung}`;
}

function rungValue(trial: FrozenTrial, rung: number): number | undefined {
  const value = ownProperty(trial.systemAttrs, rungKey(rung));
  return typeof value === 'number' ? value : undefined;
}

/** Longest completed trial's last step / 100, at least 1; undefined while none has completed. */
function estimateMinResource(trials: readonly FrozenTrial[]): number | undefined {
  const steps = trials.flatMap((trial) =>
    trial.state === 'COMPLETE' ? (trial.intermediateValues.lastStep ?? []) : [],
  );
  if (steps.length === 0) return undefined;
  return Math.max(Math.floor(steps.reduce((a, b) => Math.max(a, b)) / 100), 1);
}

/** Whether a value is among the best 1 / reductionFactor of those at its rung, itself included; the best one always is. */
function isPromotable(value: number, atRung: number[], reductionFactor: number, direction: Direction): boolean {
  const sorted = atRung.sort((a, b) => a - b);
  const index = Math.max(Math.floor(sorted.length / reductionFactor) - 1, 0);
  return direction === 'maximize' ? value >= sorted[sorted.length - 1 - index]! : value <= sorted[index]!;
}

/**
 * Asynchronous successive halving (Li et al. 2018, "A System for Massively Parallel Hyperparameter Tuning"): at rungs
 * minResource * reductionFactor ** (minEarlyStoppingRate + n) only the best go on.
 * Source: optuna.pruners.SuccessiveHalvingPruner.
 */
export class SuccessiveHalvingPruner implements Pruner {
  private minResource: number | undefined;
  private readonly reductionFactor: number;
  private readonly minEarlyStoppingRate: number;
  private readonly bootstrapCount: number;

  constructor(options: SuccessiveHalvingPrunerOptions = {}) {
    checkOptions('SuccessiveHalvingPruner', options, [
      'minResource',
      'reductionFactor',
      'minEarlyStoppingRate',
      'bootstrapCount',
    ]);
    const { minResource = 'auto', reductionFactor = 4, minEarlyStoppingRate = 0, bootstrapCount = 0 } = options;
    this.minResource = minResource === 'auto' ? undefined : checkAtLeast('minResource', minResource, 1);
    this.reductionFactor = checkAtLeast('reductionFactor', reductionFactor, 2);
    this.minEarlyStoppingRate = checkAtLeast('minEarlyStoppingRate', minEarlyStoppingRate, 0);
    this.bootstrapCount = checkAtLeast('bootstrapCount', bootstrapCount, 0);
    if (bootstrapCount > 0 && minResource === 'auto') {
      throw new HpoError('INVALID_ARGUMENT', "bootstrapCount needs a minResource that is a number, not 'auto'", {
        value: bootstrapCount,
      });
    }
  }

  prune(study: StudyView, trial: FrozenTrial): boolean {
    const step = trial.intermediateValues.lastStep;
    if (step === undefined) return false;
    const value = trial.intermediateValues.get(step)!;
    let rung = 0;
    while (rungValue(trial, rung) !== undefined) rung++;
    const trials = study.getTrials();
    this.minResource ??= estimateMinResource(trials);
    if (this.minResource === undefined) return false;

    for (; ; rung++) {
      if (step < this.minResource * this.reductionFactor ** (this.minEarlyStoppingRate + rung)) return false;
      if (Number.isNaN(value)) return true;
      study.storage.setTrialSystemAttr(trial.id, rungKey(rung), value);
      const atRung = [...trials.flatMap((other) => rungValue(other, rung) ?? []), value];
      if (atRung.length <= this.bootstrapCount) return true;
      if (!isPromotable(value, atRung, this.reductionFactor, study.direction)) return true;
    }
  }
}
