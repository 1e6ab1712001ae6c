import type { Task } from '@qlora-js/data';
import { bootstrapFromConfusion, confusionMatrix, type ConfusionMetrics } from '@qlora-js/metrics';

/** A figure and the interval that 95 of 100 resamples of the rows fall into. */
export interface Interval {
  /** The figure. */
  readonly estimate: number;
  /** Lower end. */
  readonly low: number;
  /** Upper end. */
  readonly high: number;
}

/** How one of several labels fares. */
export interface LabelScore {
  /** Its name. */
  readonly label: string;
  /** Share of the texts that got it that have it. */
  readonly precision: number;
  /** Share of the texts that have it that got it. */
  readonly recall: number;
  /** Harmonic mean of both. */
  readonly f1: number;
  /** Texts that have it. */
  readonly support: number;
}

/** What answers are worth. */
export interface Scores {
  /**
   * One label a text: `accuracy`, `f1` (classes weighted by their rows), `f1_macro`. Several: `accuracy` (all of a text right), `f1`
   * (micro), `f1_macro`. Numbers: `mse`, `mae`, `pearson`, `spearmanr`; a correlation is left out where it has no value.
   */
  readonly figures: Readonly<Record<string, Interval>>;
  /** Rows by true label, then by given label, in the order of ids; of one label a text alone. */
  readonly confusion?: readonly (readonly number[])[];
  /** Label by label; of several labels a text alone. */
  readonly labels?: readonly LabelScore[];
}

/** Answers beside what is right. */
export interface ScoredRows {
  /** Names of the outputs. */
  readonly names: readonly string[];
  /** As the model learns them: ids [rows]; a 0 or 1 a label, or numbers, [rows * names]. */
  readonly truth: ArrayLike<number>;
  /** Probabilities or numbers [rows * names]. */
  readonly outputs: Float32Array;
  /** Probability above which a text has one of several labels. */
  readonly threshold: number;
  /** Of the resamples. */
  readonly seed: number;
}

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
