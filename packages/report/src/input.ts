import { type RunEvent } from '@qlora-js/tracking';

/** A value of a description. */
export type Described = string | number | boolean | null;

/** What the JSON lines of a run do not say; every part may be missing. */
export interface RunResults {
  /** What was run, by part: model, quantisation, LoRA, data, machine, versions, command. */
  readonly description?: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  /** What the adapter said of the test rows. */
  readonly test?: TestResults;
  /** Figures of an earlier run under the names of this one's summary, and what that run was. */
  readonly earlier?: EarlierFigures;
  /** The files that were saved. */
  readonly saved?: SavedFiles;
  /** The search that found the parameters, or is the subject. */
  readonly search?: SearchResults;
}

/** Labels and predictions of the test rows, row by row. */
export interface TestResults {
  /** Names of the classes. */
  readonly labels: readonly string[];
  /** True class of each row. */
  readonly truth: readonly number[];
  /** Predicted class of each row. */
  readonly predicted: readonly number[];
  /** Probability of the predicted class, row by row. */
  readonly confidence?: readonly number[];
  /** Text of each row. */
  readonly texts?: readonly string[];
}

/** An earlier run to compare with. */
export interface EarlierFigures {
  /** What it was. */
  readonly name: string;
  /** Its figures by name; null where one is not known. */
  readonly figures: Readonly<Record<string, number | null>>;
}

/** What was saved and how it is used. */
export interface SavedFiles {
  /** Folder they lie in. */
  readonly folder: string;
  readonly files: readonly { readonly name: string; /** Bytes. */ readonly size: number }[];
  /** Code that loads them. */
  readonly load?: { readonly typescript?: string; readonly python?: string };
}

/** A state of a trial, as Optuna names them. */
export type TrialState = 'RUNNING' | 'COMPLETE' | 'PRUNED' | 'FAIL' | 'WAITING';

/** One trial of a search. */
export interface TrialResult {
  readonly number: number;
  readonly state: TrialState;
  /** The objective, or the last value reported before a pruned trial's end. */
  readonly value: number | null;
  readonly params: Readonly<Record<string, Described>>;
  /** Values reported while it ran. */
  readonly intermediate?: readonly { readonly step: number; readonly value: number }[];
  readonly seconds?: number | null;
}

/** A search of hyper-parameters. */
export interface SearchResults {
  readonly name: string;
  /** Name of the objective, such as `eval_f1`. */
  readonly objective: string;
  readonly direction: 'maximize' | 'minimize';
  readonly trials: readonly TrialResult[];
  /** How much each parameter explains of the objective, 0 to 1, and by which method. */
  readonly importances?: { readonly method: string; readonly values: Readonly<Record<string, number>> };
  /** Parameters whose axes are logarithmic. */
  readonly logarithmic?: readonly string[];
}

/** What a report is made of. */
export interface ReportInput {
  /** The run's JSON lines, as `readRunEvents` of @qlora-js/tracking gives them; empty for a search alone. */
  readonly events: readonly RunEvent[];
  readonly results?: RunResults;
  /** Heading; default: the run's name, or the search's. */
  readonly title?: string;
  /** When the report was made, in milliseconds since 1970; what says that a run without an end is still going. Default Date.now(). */
  readonly now?: number;
}
