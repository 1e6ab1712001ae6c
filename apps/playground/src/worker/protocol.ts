import type { LabelProbability } from '@qlora-js/finetune';
import type { LogRow } from '@qlora-js/trainer';

/** Where a run computes. */
export interface DeviceFound {
  readonly backend: 'webgpu' | 'wasm';
  /** What the GPU or the CPU's backend calls itself. */
  readonly adapter: string;
  /** Threads that share each batch; 1 on a GPU. */
  readonly threads: number;
  /** Why there is no GPU, in words. */
  readonly note: string | undefined;
}

/** Where to compute; `auto` takes a GPU where there is one. */
export type Backend = 'auto' | DeviceFound['backend'];

/** Rows to train with. */
export type DataSource =
  | { readonly kind: 'generated'; readonly seed: number; readonly trainPerIntent: number }
  | {
      readonly kind: 'files';
      readonly name: string;
      readonly files: Readonly<Record<string, Blob>>;
      /** Columns that the visitor chose; guessed where left out. */
      readonly textColumn?: string;
      readonly labelColumn?: string;
      /** Whether rows that can't be used are left out instead of refused. */
      readonly skipBadRows: boolean;
    };

/** The frozen model. */
export type BaseSource = { readonly kind: 'embedded' };

/** How the base's weights are kept; `none` is float32. */
export type Quantization = 'nf4' | 'fp4' | 'int4' | 'none';

/** What a visitor may turn. */
export interface RunSettings {
  readonly learningRate: number;
  readonly numTrainEpochs: number;
  readonly batchSize: number;
  /** Rank of the adapter. */
  readonly rank: number;
  readonly quantization: Quantization;
  readonly seed: number;
  /** Tokens that texts are cut to. */
  readonly maxLength: number;
}

/** Everything that a run is made of. */
export interface RunSpec {
  readonly data: DataSource;
  readonly base: BaseSource;
  readonly settings: RunSettings;
  readonly threads: number;
}

/** Rows of one label. */
export interface LabelRows {
  readonly label: string;
  readonly train: number;
  readonly validation: number;
  readonly test: number;
}

/** What there is to see of a data set before it is trained on. */
export interface DataView {
  readonly name: string;
  readonly columns: { readonly text: string; readonly label: string };
  readonly rows: { readonly train: number; readonly validation: number; readonly test: number };
  readonly labels: readonly LabelRows[];
  /** What was decided without the visitor, in words. */
  readonly notes: readonly string[];
  readonly sample: readonly { readonly text: string; readonly label: string }[];
}

/** What a training came to. */
export interface RunResult {
  readonly steps: number;
  readonly bestStep: number | undefined;
  /** On the test rows. */
  readonly accuracy: number | undefined;
  readonly f1: number | undefined;
  /** Always the most frequent label, and counted words, on the same rows. */
  readonly majority: number | undefined;
  readonly bagOfWords: number | undefined;
  readonly testRows: number;
  readonly trainedParameters: number;
  readonly allParameters: number;
}

/** An error as it crosses from a worker to the page. */
export interface Problem {
  /** The package's code, or the class of an unexpected error. */
  readonly code: string;
  readonly message: string;
}

/** What the page may ask of a run's worker. */
export interface Calls {
  open(options: { readonly backend: Backend }): DeviceFound;
  inspect(source: DataSource): DataView;
  train(spec: RunSpec): RunResult;
  /** Holds the run after the step under way, and lets it go on. */
  pause(paused: boolean): void;
  /** Ends the training after the step under way; what is learned stays. */
  stop(now: null): void;
  /** Labels this text from now on, whenever the model has changed; empty for no text. */
  watch(text: string): void;
}

/** A question of the page. */
export type Request = {
  readonly [Name in keyof Calls]: {
    readonly id: number;
    readonly call: Name;
    readonly argument: Parameters<Calls[Name]>[0];
  };
}[keyof Calls];

/** What a run is at. */
export type Stage = 'preparing' | 'training' | 'testing';

/** What a worker tells by itself. */
export type RunEvent =
  | { readonly kind: 'stage'; readonly stage: Stage }
  /** A share from 0 to 1 of something that takes a while. */
  | { readonly kind: 'progress'; readonly label: string; readonly done: number; readonly note: string | undefined }
  | { readonly kind: 'line'; readonly text: string; readonly warning: boolean }
  | { readonly kind: 'begun'; readonly step: number; readonly maxSteps: number; readonly rows: readonly LogRow[] }
  | ({ readonly kind: 'step' } & StepFigures)
  | { readonly kind: 'row'; readonly row: LogRow }
  | { readonly kind: 'evaluating'; readonly done: number; readonly total: number }
  | { readonly kind: 'paused'; readonly paused: boolean }
  | { readonly kind: 'labels'; readonly labels: TextLabels };

/** Where a training stands. */
export interface StepFigures {
  readonly step: number;
  readonly maxSteps: number;
  readonly epoch: number;
  /** Tokens that were not padding, over the last steps. */
  readonly tokensPerSecond: number;
  /** By the mean of the steps so far, evaluations among them. */
  readonly secondsLeft: number;
  /** What one thread, or the GPU, holds from the system. */
  readonly memoryBytes: number;
}

/** A text's most probable labels at a step. */
export interface TextLabels {
  readonly text: string;
  readonly step: number;
  readonly labels: readonly LabelProbability[];
}

/** All that a worker sends. */
export type Answer =
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'refused'; readonly id: number; readonly problem: Problem }
  | { readonly kind: 'event'; readonly event: RunEvent };
