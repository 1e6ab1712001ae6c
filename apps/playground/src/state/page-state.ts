import type {
  BaseSource,
  BaseView,
  DataSource,
  DataView,
  DeviceFound,
  LoadedAdapter,
  Look,
  Problem,
  RunSettings,
  SavedRun,
  Slot,
  TextLabels,
} from '../worker/protocol';
import type { RunState } from './run-state';

/** The rows that a training will have. */
export interface DataState {
  readonly source: DataSource;
  /** Undefined while they are read, and where that failed. */
  readonly view: DataView | undefined;
  readonly problem: Problem | undefined;
}

/** An adapter that a visitor has brought back. */
export interface LoadedState {
  readonly name: string;
  readonly adapter: LoadedAdapter | undefined;
  readonly problem: Problem | undefined;
}

/** All that the page shows. */
export interface PageState {
  /** Undefined until it is known. */
  readonly device: DeviceFound | undefined;
  readonly deviceProblem: Problem | undefined;
  readonly data: DataState;
  readonly base: BaseSource;
  /** Undefined for the embedded one, and while another is looked at. */
  readonly baseView: BaseView | undefined;
  readonly baseProblem: Problem | undefined;
  /** A base that is on its way from the hub: bytes that have come, of how many. */
  readonly baseComing: { readonly id: string; readonly loaded: number; readonly total: number } | undefined;
  readonly settings: RunSettings;
  /** The first run, and the one beside it. */
  readonly runs: Readonly<Partial<Record<Slot, RunState>>>;
  /** A run that an earlier visit has left. */
  readonly saved: SavedRun | undefined;
  readonly loaded: LoadedState | undefined;
  /** What the test rows say of each run; looked at when the visitor asks. */
  readonly looks: Readonly<Partial<Record<Slot, Look>>>;
  /** The text whose labels are watched. */
  readonly text: string;
  /** Its labels by the adapter that was loaded. */
  readonly loadedLabels: TextLabels | undefined;
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
  baseView: undefined,
  baseProblem: undefined,
  baseComing: undefined,
  settings: DEFAULT_SETTINGS,
  runs: {},
  saved: undefined,
  loaded: undefined,
  looks: {},
  text: '',
  loadedLabels: undefined,
  announcement: '',
};
