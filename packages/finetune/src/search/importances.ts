import { getParamImportances, type Study } from '@qlora-js/hpo';

/** What the importances of a search's parameters are worked out by. */
export const IMPORTANCE_METHOD = 'PED-ANOVA';

/** The best tenth of so few trials is one, which sets nothing apart. */
const FEWEST = 10;

/**
 * How much each searched parameter tells the best tenth of the trials from the others, shares of 1; undefined while the
 * trials are too few to say. Source: optuna.importance.get_param_importances.
 */
export function importancesOf(
  study: Pick<Study, 'getTrials' | 'direction'>,
): Readonly<Record<string, number>> | undefined {
  if (study.getTrials(['COMPLETE']).length <= FEWEST) return undefined;
  const found = Object.entries(getParamImportances(study, { normalize: false }));
  const sum = found.reduce((total, [, value]) => total + value, 0);
  return sum > 0 ? Object.fromEntries(found.map(([name, value]) => [name, value / sum])) : undefined;
}
