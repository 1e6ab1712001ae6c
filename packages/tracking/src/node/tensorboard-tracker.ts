import { hostname } from 'node:os';
import { join } from 'node:path';
import { TrackingError } from '../errors';
import { jsonSafe } from '../json-safe';
import { fileVersionEvent, record, scalarsEvent, textEvent } from '../tfevents/events';
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

export interface TensorBoardTrackerOptions {
  /** Folder for `tensorboard --logdir`; each run gets a folder of its name in it (nested where the name has slashes). */
  logDir: string;
  /** Tag of a metric. Default `groupedTag`. */
  tagOf?: (metric: string) => string;
  /** Clock in milliseconds since 1970. Default Date.now. */
  now?: () => number;
}

interface OpenRun {
  file: AppendFile;
  /** The last step that was logged: where summary and status belong. */
  step: number;
}

/** Files opened by this process, so that two in one second have different names. */
let opened = 0;

/**
 * Writes TensorBoard's event files (events.out.tfevents.*): metrics as scalars, numbers of the summary as scalars under
 * `summary/`, config, tags, the rest of the summary and the status as text. Values become 32-bit floats there. Config goes
 * through `jsonSafe`, which leaves secrets out. Each record is with the operating system when the call returns.
 */
export class TensorBoardTracker implements Tracker {
  readonly name = 'tensorboard';
  private readonly state = new RunState<OpenRun>(this.name);
  private readonly logDir: string;
  private readonly tagOf: (metric: string) => string;
  private readonly now: () => number;

  constructor({ logDir, tagOf = groupedTag, now = Date.now }: TensorBoardTrackerOptions) {
    if (typeof logDir !== 'string' || logDir === '') {
      throw new TrackingError('INVALID_OPTION', 'logDir is empty: name a folder for the event files.', logDir);
    }
    this.logDir = logDir;
    this.tagOf = tagOf;
    this.now = now;
  }

  /** @throws TrackingError ALREADY_STARTED, WRITE_FAILED */
  start({ runName, config = {}, tags = [] }: TrackedRun): void {
    this.state.checkIdle();
    const seconds = Math.floor(this.now() / 1000);
    const name = `events.out.tfevents.${seconds}.${safeName(hostname())}.${process.pid}.${opened++}`;
    const folder = join(this.logDir, ...runName.split(/[\\/]+/).map(safeName));
    const run = { file: AppendFile.open(join(folder, name), { exclusive: true }), step: 0 };
    run.file.begin(() => {
      run.file.append(record(fileVersionEvent(this.now() / 1000)));
      this.text(run, 'config', config);
      if (tags.length > 0) this.text(run, 'tags', tags);
    });
    this.state.begin(run);
  }

  log(metrics: MetricValues, step: number): void {
    checkLog(metrics, step);
    const { run } = this.state;
    const scalars = Object.entries(metrics).map(([metric, value]) => [this.tagOf(metric), value] as const);
    if (scalars.length === 0) return;
    run.file.append(record(scalarsEvent(this.time(step), scalars)));
    run.step = step;
  }

  summary(values: SummaryValues): void {
    const { run } = this.state;
    const scalars = Object.entries(values).flatMap(([name, value]) =>
      typeof value === 'number' ? [[`summary/${name}`, value] as const] : [],
    );
    if (scalars.length > 0) run.file.append(record(scalarsEvent(this.time(run.step), scalars)));
    this.text(run, 'summary', values);
  }

  async finish(status: RunStatus): Promise<void> {
    try {
      this.text(this.state.run, 'status', status);
    } finally {
      this.state.end().file.close();
    }
  }

  private time(step: number): { wallTime: number; step: number } {
    return { wallTime: this.now() / 1000, step };
  }

  /** As a block that Markdown leaves alone. */
  private text({ file, step }: OpenRun, tag: string, value: unknown): void {
    const indented = JSON.stringify(jsonSafe(value), null, 2).replaceAll(/^/gm, '    ');
    file.append(record(textEvent(this.time(step), tag, indented)));
  }
}

/**
 * `eval_loss` -> `eval/loss`, `test_f1` -> `test/f1`, anything else under `train/`: TensorBoard groups charts by what stands
 * before the slash; transformers' integrations do the same (integration_utils.py, rewrite_logs).
 */
export function groupedTag(metric: string): string {
  const [, group, rest] = /^(eval|test)_(.+)$/s.exec(metric) ?? [];
  return group === undefined ? `train/${metric}` : `${group}/${rest}`;
}

/** One path segment, whatever the name holds: no separators, no way up, no hidden file, not too long for a file system. */
function safeName(name: string): string {
  const safe = name.replaceAll(/[^\p{L}\p{N}._-]+/gu, '_').replace(/^\.+/, '_');
  return [...safe].slice(0, 60).join('') || '_';
}
