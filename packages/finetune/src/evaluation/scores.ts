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
