import type { BaseSource, DataSource, DataView, DeviceFound, Problem, RunSettings } from '../worker/protocol';
import type { RunState } from './run-state';

/** The rows that a training will have. */
export interface DataState {
  readonly source: DataSource;
  /** Undefined while they are read, and where that failed. */
  readonly view: DataView | undefined;
  readonly problem: Problem | undefined;
}

/** All that the page shows. */
export interface PageState {
  /** Undefined until it is known. */
  readonly device: DeviceFound | undefined;
  readonly deviceProblem: Problem | undefined;
  readonly data: DataState;
  readonly base: BaseSource;
  readonly settings: RunSettings;
  readonly run: RunState | undefined;
  /** The text whose labels are watched. */
  readonly text: string;
  /** What a screen reader is told; changes at milestones alone. */
  readonly announcement: string;
}

/** What one click starts: a few minutes on two cores. */
export const DEFAULT_SETTINGS: RunSettings = {
  learningRate: 2e-3,
  numTrainEpochs: 3,
  batchSize: 16,
  rank: 16,
  quantization: 'nf4',
  seed: 42,
  maxLength: 64,
};

/** The generated banking questions of the first click. */
export const GENERATED: DataSource = { kind: 'generated', seed: 0, trainPerIntent: 24 };

/** The page before anything has happened. */
export const FIRST_STATE: PageState = {
  device: undefined,
  deviceProblem: undefined,
  data: { source: GENERATED, view: undefined, problem: undefined },
  base: { kind: 'embedded' },
  settings: DEFAULT_SETTINGS,
  run: undefined,
  text: '',
  announcement: '',
};
