import type { Task } from '@qlora-js/data';
import { bootstrapFromConfusion, confusionMatrix, type ConfusionMetrics } from '@qlora-js/metrics';
import type { Interval, ScoredRows, Scores } from './scores';

/** Figures of a task's answers; what the less usual tasks take is loaded when one is scored. */
export async function scoreRows(task: Task, rows: ScoredRows): Promise<Scores> {
  if (task === 'single_label_classification') return scoreLabels(rows);
  const { scoreNumbers, scoreTags } = await import('./score-others');
  return task === 'regression' ? scoreNumbers(rows) : scoreTags(rows);
}

/** The most probable label of each row: its id, and how probable it is. */
export function mostProbable(
  outputs: Float32Array,
  width: number,
): { readonly ids: number[]; readonly probabilities: number[] } {
  const ids: number[] = [];
  const probabilities: number[] = [];
  for (let start = 0; start < outputs.length; start += width) {
    const row = outputs.subarray(start, start + width);
    const largest = row.reduce((most, value) => Math.max(most, value), -Infinity);
    ids.push(row.indexOf(largest));
    probabilities.push(largest);
  }
  return { ids, probabilities };
}

function scoreLabels({ names, truth, outputs, seed }: ScoredRows): Scores {
  const labels = names.map((_name, id) => id);
  const confusion = confusionMatrix(Array.from(truth), mostProbable(outputs, names.length).ids, { labels });
  const interval = (metric: (metrics: ConfusionMetrics) => number): Interval => {
    const { estimate, low, high } = bootstrapFromConfusion({ confusion, metric, seed });
    return { estimate, low, high };
  };
  return {
    figures: {
      accuracy: interval((counts) => counts.accuracy),
      f1: interval((counts) => counts.f1.weighted),
      f1_macro: interval((counts) => counts.f1.macro),
    },
    confusion,
  };
}
