import { checkAtLeast, checkOptions } from '../check-options';
import { HpoError, shown } from '../errors';
import { type StudyView } from '../study/study-view';
import { type FrozenTrial } from '../trial/frozen-trial';
import { type Pruner } from './pruner';

/** How patient a PatientPruner is. */
export interface PatientPrunerOptions {
  /** Reports without an improvement that are waited for. */
  patience: number;
  /** What an improvement must exceed. */
  minDelta?: number;
}

/**
 * Lets another pruner decide only where a trial's last `patience + 1` reports hold nothing better than those before
 * them; without another pruner, that alone ends the trial. NaN counts for nothing. Source: optuna.pruners.PatientPruner.
 */
export class PatientPruner implements Pruner {
  private readonly patience: number;
  private readonly minDelta: number;

  /** @param wrapped the pruner that then decides; undefined: the trial ends */
  constructor(
    private readonly wrapped: Pruner | undefined,
    options: PatientPrunerOptions,
  ) {
    checkOptions('PatientPruner', options, ['patience', 'minDelta']);
    const { patience, minDelta = 0 } = options;
    this.patience = checkAtLeast('patience', patience, 0);
    if (!(minDelta >= 0)) {
      throw new HpoError('INVALID_ARGUMENT', `minDelta must be a number of at least 0, but is ${shown(minDelta)}`, {
        place: 'minDelta',
        value: minDelta,
      });
    }
    this.minDelta = minDelta;
  }

  prune(study: StudyView, trial: FrozenTrial): boolean {
    const sign = study.direction === 'minimize' ? 1 : -1;
    const costs = [...trial.intermediateValues].sort(([a], [b]) => a - b).map(([, value]) => sign * value);
    if (costs.length <= this.patience + 1) return false;
    const best = (values: readonly number[]) =>
      values.reduce((least, value) => (Number.isNaN(least) || value < least ? value : least), NaN);
    const recent = costs.splice(-this.patience - 1);
    if (!(best(costs) + this.minDelta < best(recent))) return false;
    return this.wrapped?.prune(study, trial) ?? true;
  }
}
