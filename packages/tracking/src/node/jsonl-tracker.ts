import { TrackingError } from '../errors';
import { jsonSafe, type JsonValue } from '../json-safe';
import {
  checkLog,
  type MetricValues,
  RunState,
  type RunStatus,
  type SummaryValues,
  type TrackedRun,
  type Tracker,
} from '../tracker';
import { AppendFile } from './append-file';

export interface JsonlTrackerOptions {
  /** The file that lines are appended to; it and its folders are created. */
  path: string;
  /** Clock in milliseconds since 1970. Default Date.now. */
  now?: () => number;
}

/**
 * One JSON object a line, appended, for one writing process at a time:
 *
 * - `{"event":"start","time":"...","run_name":"...","config":{...},"tags":[...]}`
 * - `{"event":"log","time":"...","step":10,"metrics":{"loss":1.25}}`
 * - `{"event":"summary","time":"...","values":{...}}`
 * - `{"event":"finish","time":"...","status":"finished"}`
 *
 * JSON has no NaN and no infinities: they are written as the strings "NaN", "Infinity" and "-Infinity", which Number(),
 * Python's float() and pandas read back; `readJsonlEvents` does so. Config goes through `jsonSafe`, which leaves
 * secrets out. Each line is with the operating system when the call returns, and synced to the disk by finish.
 */
export class JsonlTracker implements Tracker {
  readonly name = 'jsonl';
  private readonly state = new RunState<AppendFile>(this.name);
  private readonly path: string;
  private readonly now: () => number;

  constructor({ path, now = Date.now }: JsonlTrackerOptions) {
    if (typeof path !== 'string' || path === '') {
      throw new TrackingError('INVALID_OPTION', 'The path of the JSON lines is empty: name a file.', path);
    }
    this.path = path;
    this.now = now;
  }

  /** @throws TrackingError ALREADY_STARTED, WRITE_FAILED */
  start({ runName, config = {}, tags = [] }: TrackedRun): void {
    this.state.checkIdle();
    const file = AppendFile.open(this.path);
    file.begin(() => {
      // A run that was cut off inside a line must not take this run's first line with it.
      if (!file.endsWithLine()) file.append(Uint8Array.of(0x0a));
      this.write(file, { event: 'start', run_name: runName, config: jsonSafe(config), tags: [...tags] });
    });
    this.state.begin(file);
  }

  log(metrics: MetricValues, step: number): void {
    checkLog(metrics, step);
    this.write(this.state.run, { event: 'log', step, metrics: numbers(metrics) });
  }

  summary(values: SummaryValues): void {
    this.write(this.state.run, { event: 'summary', values: jsonSafe(values) });
  }

  async finish(status: RunStatus): Promise<void> {
    try {
      this.write(this.state.run, { event: 'finish', status });
    } finally {
      this.state.end().close();
    }
  }

  private write(file: AppendFile, { event, ...rest }: { [key: string]: JsonValue }): void {
    const line = JSON.stringify({ event, time: new Date(this.now()).toISOString(), ...rest });
    file.append(new TextEncoder().encode(`${line}\n`));
  }
}

/** Not jsonSafe, which would take a metric called `token` for a secret were it a string. */
function numbers(metrics: MetricValues): JsonValue {
  return Object.fromEntries(
    Object.entries(metrics).map(([name, value]) => [name, Number.isFinite(value) ? value : String(value)]),
  );
}
