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
export type BaseSource =
  | { readonly kind: 'embedded' }
  /** Dropped, or fetched from the hub: a model's folder, or one GGUF file. */
  | {
      readonly kind: 'files';
      readonly id: string;
      readonly revision?: string;
      readonly files: Readonly<Record<string, Blob>>;
    };

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

/** The first run, and the one that is drawn beside it. */
export type Slot = 'a' | 'b';

/** Everything that a run is made of. */
export interface RunSpec {
  /** Which of the two runs that are compared; each has checkpoints of its own. */
  readonly slot: Slot;
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

/** What is looked at before a training. */
export interface Inspection {
  readonly source: DataSource;
  readonly base: BaseSource;
  /** Tokens that texts will be cut to. */
  readonly maxLength: number;
  readonly seed: number;
}

/** Tokens of the texts to train with. */
export interface TextLengths {
  readonly median: number;
  readonly p95: number;
  readonly max: number;
  /** Texts of all splits that will be cut. */
  readonly cut: number;
}

/** What there is to see of a data set before it is trained on. */
export interface DataView {
  readonly name: string;
  readonly columns: { readonly text: string; readonly label: string };
  /** All columns of the first file to train with; empty for generated rows. */
  readonly columnNames: readonly string[];
  /** Undefined for generated rows, for which the base's tokenizer is not loaded yet. */
  readonly lengths: TextLengths | undefined;
  readonly rows: { readonly train: number; readonly validation: number; readonly test: number };
  readonly labels: readonly LabelRows[];
  /** What was decided without the visitor, in words. */
  readonly notes: readonly string[];
  /** What may spoil a training: rare labels, texts twice, rows that were left out; with the places of the rows. */
  readonly problems: readonly string[];
  readonly sample: readonly { readonly text: string; readonly label: string }[];
}

/** What is known of a base before its weights are read. */
export interface BaseView {
  readonly id: string;
  readonly modelType: string;
  /** Bytes of its files; 0 for the embedded one. */
  readonly bytes: number;
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

/** A run that can be gone on with. */
export interface SavedRun {
  /** What it is made of; its files are those that lie beside the checkpoints. */
  readonly spec: RunSpec;
  /** Step of the newest checkpoint. */
  readonly step: number;
}

/** An adapter that labels texts. */
export interface LoadedAdapter {
  readonly labels: readonly string[];
}

/** A test row and what the model says of it. */
export interface LabelledRow {
  readonly text: string;
  /** Ids of labels. */
  readonly label: number;
  readonly predicted: number;
  /** Of the predicted label. */
  readonly probability: number;
}

/** How one label fares. */
export interface LabelScores {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  readonly rows: number;
}

/** What the test rows say of a run. */
export interface Look {
  readonly labels: readonly string[];
  readonly rows: readonly LabelledRow[];
  /** Rows by true label, then by predicted label. */
  readonly confusion: readonly (readonly number[])[];
  /** In the order of the labels. */
  readonly scores: readonly LabelScores[];
  /** Bins of confidence that hold rows. */
  readonly calibration: readonly {
    readonly confidence: number;
    readonly accuracy: number;
    readonly rows: number;
  }[];
  readonly calibrationError: number;
}

/** What the adapter does to a layer, Frobenius norms. */
export interface LayerNorm {
  readonly layer: string;
  /** Of the change. */
  readonly change: number;
  /** Of the change against the frozen weight's. */
  readonly relative: number;
}

/** A block of a tensor, and how it is to be kept. */
export interface BlockChoice {
  readonly tensor: string;
  /** Which block, from 0 on. */
  readonly block: number;
  readonly quantType: Exclude<Quantization, 'none'>;
}

/** Weights that share an absmax, before and after. */
export interface WeightBlock {
  /** Blocks of the tensor. */
  readonly blocks: number;
  readonly values: readonly number[];
  /** What 4 bits make of them. */
  readonly kept: readonly number[];
  /** Values that this block can hold: the code book times absmax. */
  readonly levels: readonly number[];
  readonly absmax: number;
  /** Root of the mean squared error. */
  readonly error: number;
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
  inspect(inspection: Inspection): DataView;
  /** Fetches a model of the hub, or finds it among those fetched before; says how far it is by `baseComing`. */
  fetchBase(repository: { readonly repo: string; readonly revision: string }): BaseSource;
  /** Reads what there is to know of a base before its weights; refuses what can't be used. */
  checkBase(options: { readonly base: BaseSource; readonly maxLength: number }): BaseView;
  train(spec: RunSpec): RunResult;
  /** The run that a closed or crashed page has left, if there is one. */
  saved(now: null): SavedRun | undefined;
  /** Goes on with it. */
  resume(now: null): RunResult;
  /** Removes it. */
  forget(now: null): void;
  /** The trained adapter's folder as a zip file. */
  download(now: null): Uint8Array<ArrayBuffer>;
  /** Opens an adapter that was downloaded, to label texts with: a zip file, or the files of its folder. */
  load(options: { readonly files: Readonly<Record<string, Blob>>; readonly base: BaseSource }): LoadedAdapter;
  /** Labels the test rows and says what comes of it. */
  look(now: null): Look;
  /** How far the adapter moves each layer. */
  norms(now: null): readonly LayerNorm[];
  /** Tensors of the adapter, to be looked at in 4 bits. */
  tensors(now: null): readonly string[];
  /** A block of one of them as 4 bits keep it. */
  block(which: BlockChoice): WeightBlock;
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
  | { readonly kind: 'baseComing'; readonly loaded: number; readonly total: number }
  /** A checkpoint lies whole. */
  | { readonly kind: 'saved'; readonly step: number }
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
  /** Undefined for an adapter that was loaded. */
  readonly step: number | undefined;
  readonly labels: readonly LabelProbability[];
}

/** All that a worker sends. */
export type Answer =
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'refused'; readonly id: number; readonly problem: Problem }
  | { readonly kind: 'event'; readonly event: RunEvent };
