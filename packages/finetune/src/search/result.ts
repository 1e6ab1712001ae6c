import type { Goal } from '../task/goal';
import type { SearchedParameters } from '../training/settings';

/** What a search came to. */
export interface SearchResult {
  /** Name of the study. */
  readonly name: string;
  /** What the trials were compared by, on the validation rows. */
  readonly goal: Goal;
  /** Parameters of the best trial. */
  readonly parameters: SearchedParameters;
  /** What it came to. */
  readonly bestValue: number;
  /** Shares of 1 by parameter; undefined while the trials are too few to say. */
  readonly importances: Readonly<Record<string, number>> | undefined;
  /** Every trial of the study. */
  readonly trials: readonly {
    /** From 0. */
    readonly number: number;
    /** Optuna's word for how it ended. */
    readonly state: string;
    /** What it came to. */
    readonly value: number | undefined;
    /** What was drawn. */
    readonly params: Readonly<Record<string, unknown>>;
    /** The figure as it was reported while the trial ran, by the samples seen until then. */
    readonly intermediate: readonly { readonly step: number; readonly value: number }[];
    /** From its beginning to its end; undefined where it has none. */
    readonly seconds: number | undefined;
  }[];
}
