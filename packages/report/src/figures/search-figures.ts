import { type SearchResults, type TrialResult } from '../input';
import { type SearchFigures } from './report-figures';

/** What a search came to, of whatever trials there are. */
export function searchFigures({
  name,
  objective,
  direction,
  trials,
  importances,
  logarithmic = [],
}: SearchResults): SearchFigures {
  const sorted = [...trials].sort((a, b) => a.number - b.number);
  const better = (a: number, b: number): boolean => (direction === 'maximize' ? a > b : a < b);
  const bestSoFar: { number: number; value: number }[] = [];
  for (const trial of sorted) {
    if (!isComplete(trial)) continue;
    const last = bestSoFar.at(-1);
    const value = last === undefined || better(trial.value, last.value) ? trial.value : last.value;
    bestSoFar.push({ number: trial.number, value });
  }
  const best = bestSoFar.at(-1);
  const counts: Record<string, number> = {};
  for (const { state } of sorted) counts[state] = (counts[state] ?? 0) + 1;
  return {
    name,
    objective,
    direction,
    trials: sorted,
    counts,
    best:
      best === undefined
        ? null
        : {
            number: sorted.find((trial) => isComplete(trial) && trial.value === best.value)!.number,
            value: best.value,
          },
    bestSoFar,
    parameters: [...new Set(sorted.flatMap(({ params }) => Object.keys(params)))],
    logarithmic,
    importances: importances ?? null,
  };
}

/** Whether a trial ended with a value that counts. */
export function isComplete(trial: TrialResult): trial is TrialResult & { readonly value: number } {
  return trial.state === 'COMPLETE' && typeof trial.value === 'number' && Number.isFinite(trial.value);
}
