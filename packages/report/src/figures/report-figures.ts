import { type Described, type EarlierFigures, type SavedFiles, type TrialResult } from '../input';

/** A number, or how it stands in JSON where JSON has none: 'NaN', 'Infinity', '-Infinity'. */
export type Figure = number | 'NaN' | 'Infinity' | '-Infinity';

/** How a run stands. `unfinished`: no end was written; it still goes on or was killed. */
export type RunState = 'finished' | 'pruned' | 'failed' | 'interrupted' | 'unfinished' | 'none';

/** A value at a step. */
export interface Point {
  readonly step: number;
  readonly value: Figure;
}

/** The moving mean around a step, with the spread that it hides. */
export interface SmoothPoint {
  readonly step: number;
  /** Mean over the window. */
  readonly mean: number;
  /** Mean less and plus one standard deviation of the window. */
  readonly low: number;
  readonly high: number;
}

/** A metric over the steps. */
export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
  /** None where there are too few finite points. */
  readonly smooth: readonly SmoothPoint[];
  /** Points that a smooth one is the mean of; 0 where there is none. */
  readonly window: number;
}

/** The step whose adapter is kept. */
export interface BestStep {
  readonly step: number;
  readonly metric: string;
  readonly value: number;
}

/** Scores of one class on the test rows. */
export interface ClassFigures {
  readonly label: string;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  /** Rows of the class. */
  readonly support: number;
}

/** Two classes that are taken for one another. */
export interface ConfusedPair {
  readonly truth: string;
  readonly predicted: string;
  readonly count: number;
  /** Texts of the first class that were taken for the second. */
  readonly examples: readonly string[];
}

/** Rows by their confidence. */
export interface ConfidenceBin {
  readonly lower: number;
  readonly upper: number;
  readonly right: number;
  readonly wrong: number;
  /** Mean confidence; null in an empty bin. */
  readonly confidence: number | null;
  /** Share that was right; null in an empty bin. */
  readonly accuracy: number | null;
}

/** A wrong prediction to look at. */
export interface WrongRow {
  readonly row: number;
  readonly text: string;
  readonly truth: string;
  readonly predicted: string;
  readonly confidence: number | null;
}

/** What the test rows say. */
export interface TestFigures {
  readonly rows: number;
  readonly accuracy: number;
  readonly f1Weighted: number;
  readonly f1Macro: number;
  /** By F1, the worst first. */
  readonly classes: readonly ClassFigures[];
  /** Names of the confusion matrix' rows and columns. */
  readonly labels: readonly string[];
  /** The cells that are not 0: [true class, predicted class, rows]. */
  readonly confusion: readonly (readonly [number, number, number])[];
  readonly pairs: readonly ConfusedPair[];
  /** None without confidences. */
  readonly confidence: readonly ConfidenceBin[];
  /** Mean of |accuracy - confidence| over the rows, by bins; null without confidences. */
  readonly expectedCalibrationError: number | null;
  /** The wrong rows that the model was surest of. */
  readonly errors: readonly WrongRow[];
  readonly wrongRows: number;
}

/** Speed and memory of an epoch. */
export interface EpochFigures {
  readonly epoch: number;
  readonly figures: Readonly<Record<string, Figure>>;
}

/** What a search came to. */
export interface SearchFigures {
  readonly name: string;
  readonly objective: string;
  readonly direction: 'maximize' | 'minimize';
  readonly trials: readonly TrialResult[];
  readonly counts: Readonly<Record<string, number>>;
  /** Null where no trial is complete. */
  readonly best: { readonly number: number; readonly value: number } | null;
  /** The best value so far after each complete trial. */
  readonly bestSoFar: readonly { readonly number: number; readonly value: number }[];
  readonly parameters: readonly string[];
  readonly logarithmic: readonly string[];
  readonly importances: { readonly method: string; readonly values: Readonly<Record<string, number>> } | null;
}

/** A figure beside that of an earlier run. */
export interface ComparedFigure {
  readonly name: string;
  readonly earlier: number | null;
  readonly now: number | null;
  /** Now less earlier; null where one is missing. */
  readonly difference: number | null;
  /** Percent of the earlier one; null where one is missing or the earlier one is 0. */
  readonly percent: number | null;
}

/** Every figure that a report shows. */
export interface ReportFigures {
  /** Version of this shape. */
  readonly version: 1;
  readonly title: string;
  readonly state: RunState;
  /** ISO 8601, UTC; null where no line says so. */
  readonly started: string | null;
  readonly ended: string | null;
  readonly lastLine: string | null;
  /** What a reader should know before the figures. */
  readonly notes: readonly string[];
  readonly description: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  readonly summary: Readonly<Record<string, Described>>;
  readonly best: BestStep | null;
  readonly series: readonly Series[];
  readonly epochs: readonly EpochFigures[];
  readonly test: TestFigures | null;
  readonly search: SearchFigures | null;
  readonly comparison: { readonly earlier: EarlierFigures['name']; readonly figures: readonly ComparedFigure[] } | null;
  readonly saved: SavedFiles | null;
}
