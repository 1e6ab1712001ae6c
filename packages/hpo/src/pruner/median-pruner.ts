import { checkOptions } from '../check-options';
import { PercentilePruner, type PercentilePrunerOptions, waitingOptions } from './percentile-pruner';

/**
 * Prunes a trial whose best reported value so far is worse than the median of what the completed trials reported at
 * the same step. Source: optuna.pruners.MedianPruner.
 */
export class MedianPruner extends PercentilePruner {
  constructor(options: Omit<PercentilePrunerOptions, 'percentile'> = {}) {
    checkOptions('MedianPruner', options, waitingOptions);
    super({ ...options, percentile: 50 });
  }
}
