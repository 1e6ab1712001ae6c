import type { MeanInterval } from './statistics';
import type { PlannedTraining, TrainingRow } from './training-rows';

/** How large a study is. */
export interface StudySize {
  /** Seeds that every way of training is repeated with. */
  readonly seeds: readonly number[];
  /** Trainings of the table that `trials` draws from. */
  readonly trainings: number;
  /** Epochs of `overfitting`. */
  readonly epochs: number;
  /** Training rows there are. */
  readonly rows: number;
}

/** What a study found, as it is written. */
export interface StudyOutcome {
  /** Markdown. */
  readonly table: string;
  /** A paragraph. */
  readonly findings: string;
  /** Means with their intervals; a line at 0 where they are differences. */
  readonly chart: {
    readonly label: string;
    readonly x: string;
    readonly rows: readonly (MeanInterval & { readonly name: string })[];
    readonly zero: boolean;
  };
}

/** A question that trainings answer. */
export interface Study {
  readonly title: string;
  /** The trainings that it takes. */
  readonly plan: (size: StudySize) => readonly PlannedTraining[] | Promise<readonly PlannedTraining[]>;
  /** What they say. */
  readonly outcome: (rows: readonly TrainingRow[]) => StudyOutcome | Promise<StudyOutcome>;
}
