import { TrackingError } from './errors';

/** Numbers by name at one step: `{ loss: 1.2, learning_rate: 5e-4 }`. NaN and infinities are kept as what they are. */
export type MetricValues = Readonly<Record<string, number>>;

/** What a run ends with: best results, sizes, versions. */
export type SummaryValues = Readonly<Record<string, number | string | boolean | null>>;

/** How a run ended; `interrupted` is a signal or a user's stop. */
export type RunStatus = 'finished' | 'failed' | 'interrupted';

export interface TrackedRun {
  runName: string;
  /** Settings, of any JSON-like shape; trackers that write them out leave secrets behind (see `jsonSafe`). */
  config?: Readonly<Record<string, unknown>>;
  tags?: readonly string[];
}

/**
 * One place that a training run is recorded in. Calls come in the order start, log and summary in any number, finish;
 * after finish another run may start. A tracker that works synchronously returns nothing, one that does not, a promise.
 * Any call may throw or reject; `CompositeTracker` keeps that from reaching the training.
 */
export interface Tracker {
  readonly name: string;
  start(run: TrackedRun): void | Promise<void>;
  /** @param step the optimiser step the numbers belong to, an integer of at least 0 */
  log(metrics: MetricValues, step: number): void | Promise<void>;
  summary?(values: SummaryValues): void | Promise<void>;
  /** Resolves when everything is where it should be (written, synced, sent). */
  finish(status: RunStatus): Promise<void>;
}

/** @throws TrackingError INVALID_STEP, INVALID_METRIC with the name */
export function checkLog(metrics: MetricValues, step: number): void {
  if (!Number.isSafeInteger(step) || step < 0) {
    throw new TrackingError('INVALID_STEP', `The step is ${String(step)}: steps are integers of at least 0.`, step);
  }
  for (const [name, value] of Object.entries(metrics)) {
    if (name === '') throw new TrackingError('INVALID_METRIC', `A metric of step ${step} has an empty name.`, name);
    if (typeof value !== 'number') {
      const message = `Metric ${JSON.stringify(name)} of step ${step} is a value of type ${typeof value}: metrics are numbers.`;
      throw new TrackingError('INVALID_METRIC', message, value);
    }
  }
}

/** The run a tracker is in, and the errors of calling it out of order. */
export class RunState<Run> {
  private current: Run | undefined;

  constructor(private readonly trackerName: string) {}

  /** @throws TrackingError ALREADY_STARTED */
  checkIdle(): void {
    if (this.current !== undefined) {
      throw new TrackingError(
        'ALREADY_STARTED',
        `The tracker ${this.trackerName} is in a run: finish it before starting another.`,
      );
    }
  }

  begin(run: Run): void {
    this.checkIdle();
    this.current = run;
  }

  /** @throws TrackingError NOT_STARTED */
  get run(): Run {
    if (this.current === undefined) {
      throw new TrackingError('NOT_STARTED', `The tracker ${this.trackerName} is in no run: call start first.`);
    }
    return this.current;
  }

  /** Leaves the run, which is given back. */
  end(): Run {
    const { run } = this;
    this.current = undefined;
    return run;
  }
}
