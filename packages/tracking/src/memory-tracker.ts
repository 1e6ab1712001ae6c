import {
  checkLog,
  type MetricValues,
  RunState,
  type RunStatus,
  type SummaryValues,
  type TrackedRun,
  type Tracker,
} from './tracker';

export interface LoggedStep {
  step: number;
  metrics: MetricValues;
}

export interface RecordedRun extends TrackedRun {
  logs: LoggedStep[];
  summary: Record<string, number | string | boolean | null>;
  /** Undefined while the run goes on. */
  status: RunStatus | undefined;
}

/** Keeps every run in memory: for tests, notebooks and charts in the page. */
export class MemoryTracker implements Tracker {
  readonly name = 'memory';
  readonly runs: RecordedRun[] = [];
  private readonly state = new RunState<RecordedRun>(this.name);

  start(run: TrackedRun): void {
    const recorded: RecordedRun = { ...run, logs: [], summary: {}, status: undefined };
    this.state.begin(recorded);
    this.runs.push(recorded);
  }

  log(metrics: MetricValues, step: number): void {
    checkLog(metrics, step);
    this.state.run.logs.push({ step, metrics: { ...metrics } });
  }

  summary(values: SummaryValues): void {
    Object.assign(this.state.run.summary, values);
  }

  async finish(status: RunStatus): Promise<void> {
    this.state.end().status = status;
  }

  /** The values of one metric over the steps that logged it, of the latest run. */
  series(metric: string): { step: number; value: number }[] {
    return (this.runs.at(-1)?.logs ?? []).flatMap(({ step, metrics }) =>
      Object.hasOwn(metrics, metric) ? [{ step, value: metrics[metric]! }] : [],
    );
  }
}
