import { checkOptions } from '../check-options';
import { type Distribution, isSingle, sameDistribution } from '../distribution/distribution';
import { HpoError, shown } from '../errors';
import { orderedRecord } from '../ordered-record';
import { ownProperty } from '../own-property';
import { compareNames } from '../study/compare-names';
import { type Direction } from '../study/direction';
import { type StudyView } from '../study/study-view';
import { type FrozenTrial } from '../trial/frozen-trial';
import { gridDensities } from './grid-density';

/** What is compared with what. */
export interface ImportanceOptions {
  /** Parameters to look at; left out, all that a completed trial has. */
  params?: readonly string[];
  /** What is explained, lower being better; left out, the objective's value in the study's direction. */
  target?: (trial: FrozenTrial) => number;
  /** Makes the importances sum to 1. Default: true. */
  normalize?: boolean;
  /** The best so large a share of the trials is what parameters are to explain. Default: 0.1. */
  targetQuantile?: number;
  /** Among the best so large a share. Default: 1. */
  regionQuantile?: number;
  /** Against what the study tried; false: against the search space, evenly. Default: true. */
  evaluateOnLocal?: boolean;
}

/** A group of trials with one distribution of a parameter says something from so many on. */
const leastTrials = 2;

function checkQuantiles(targetQuantile: number, regionQuantile: number): void {
  if (targetQuantile > 0 && targetQuantile < regionQuantile && regionQuantile <= 1) return;
  throw new HpoError(
    'INVALID_ARGUMENT',
    `0 < targetQuantile < regionQuantile <= 1 is needed, but they are ${shown(targetQuantile)} and ${shown(regionQuantile)}`,
    { place: 'getParamImportances', value: [targetQuantile, regionQuantile] },
  );
}

/** The trials whose cost is among the lowest so large a share, equals of the last included. */
function best(
  trials: readonly FrozenTrial[],
  costs: ReadonlyMap<FrozenTrial, number>,
  quantile: number,
): FrozenTrial[] {
  if (quantile === 1) return [...trials];
  const sorted = [...costs.values()].sort((a, b) => a - b);
  const limit = sorted[Math.ceil(quantile * sorted.length) - 1]!;
  return trials.filter((trial) => costs.get(trial)! <= limit);
}

/** Trials by their distribution of a parameter; those without it are left out. */
function regimes(
  name: string,
  trials: readonly FrozenTrial[],
): { distribution: Distribution; trials: FrozenTrial[] }[] {
  const groups: { distribution: Distribution; trials: FrozenTrial[] }[] = [];
  for (const trial of trials) {
    const distribution = ownProperty(trial.distributions, name);
    if (distribution === undefined) continue;
    const group = groups.find((other) => sameDistribution(other.distribution, distribution));
    if (group === undefined) groups.push({ distribution, trials: [trial] });
    else group.trials.push(trial);
  }
  return groups.filter(({ trials: { length } }) => length >= leastTrials);
}

function namesOf(trials: readonly FrozenTrial[], asked: readonly string[] | undefined): string[] {
  const all = new Set(trials.flatMap(({ distributions }) => Object.keys(distributions)));
  if (asked === undefined) return [...all].sort(compareNames);
  const missing = asked.filter((name) => !all.has(name));
  if (missing.length > 0) {
    throw new HpoError('INVALID_ARGUMENT', `no completed trial has the parameters ${shown(missing)}`, {
      place: 'params',
      value: missing,
    });
  }
  return [...asked];
}

/** Pearson's divergence of the target's density from the region's. */
function divergence(target: readonly number[], region: readonly number[]): number {
  const least = 1e-12;
  return region.reduce((sum, density, i) => sum + density * ((target[i]! + least) / density - 1) ** 2, 0);
}

/**
 * How much each parameter has to do with a trial being among the best, the most important first, by PED-ANOVA (Watanabe
 * et al. 2023, "PED-ANOVA: Efficiently Quantifying Hyperparameter Importance in Arbitrary Subspaces"; conditional
 * parameters as Iwata et al. 2026). With fewer than two usable trials all are equal.
 * Throws HpoError `INVALID_ARGUMENT`. Source: optuna.importance.get_param_importances.
 */
export function getParamImportances(
  study: Pick<StudyView, 'getTrials'> & { readonly direction: Direction },
  options: ImportanceOptions = {},
): Readonly<Record<string, number>> {
  checkOptions('getParamImportances', options, [
    'params',
    'target',
    'normalize',
    'targetQuantile',
    'regionQuantile',
    'evaluateOnLocal',
  ]);
  const { target, normalize = true, targetQuantile = 0.1, regionQuantile = 1, evaluateOnLocal = true } = options;
  checkQuantiles(targetQuantile, regionQuantile);
  const completed = study.getTrials(['COMPLETE']);
  const names = namesOf(completed, options.params);
  const sign = target === undefined && study.direction === 'maximize' ? -1 : 1;
  const costs = new Map<FrozenTrial, number>();
  for (const trial of completed) {
    const cost = sign * (target === undefined ? trial.value! : target(trial));
    if (Number.isFinite(cost)) costs.set(trial, cost);
  }
  const trials = [...costs.keys()];
  const found = new Map(names.map((name) => [name, 0]));
  if (trials.length > 1) {
    const targets = new Set(best(trials, costs, targetQuantile));
    const region = best(trials, costs, regionQuantile);
    for (const name of names) {
      let sum = 0;
      for (const regime of regimes(name, region)) {
        const among = regime.trials.filter((trial) => targets.has(trial));
        if (isSingle(regime.distribution) || among.length === 0) continue;
        const density = gridDensities(name, regime.distribution, among);
        const against = evaluateOnLocal
          ? gridDensities(name, regime.distribution, regime.trials).map((it) => it + 1e-12)
          : density.map(() => 1 / density.length);
        const share = among.length / targets.size;
        sum += (share ** 2 / (regime.trials.length / region.length)) * divergence(density, against);
      }
      found.set(name, sum * (targets.size / region.length) ** 2);
    }
  }
  return orderedRecord(
    scaled(
      [...found].sort(([, a], [, b]) => b - a),
      normalize,
    ),
  );
}

function scaled(
  importances: readonly (readonly [string, number])[],
  normalize: boolean,
): (readonly [string, number])[] {
  if (!normalize) return [...importances];
  const sum = importances.reduce((before, [, importance]) => before + importance, 0);
  return importances.map(([name, importance]) => [name, sum === 0 ? 1 / importances.length : importance / sum]);
}
