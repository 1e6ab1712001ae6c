import { TrackingError, shown } from './errors';
import { type JsonValue } from './json-safe';

/** Numbers by name at one step: `{ loss: 1.2, learning_rate: 5e-4 }`. NaN and infinities are kept as what they are. */
export type MetricValues = Readonly<Record<string, number>>;

/** What a run ends with: best results, sizes, versions. */
export type SummaryValues = Readonly<Record<string, number | string | boolean | null>>;

/** How a run ended; `pruned` is a trial that a search gave up, `interrupted` a signal or a user's stop. */
export const RUN_STATUSES = ['finished', 'pruned', 'failed', 'interrupted'] as const;

/** A word of `RUN_STATUSES`. */
export type RunStatus = (typeof RUN_STATUSES)[number];

/** What a run is, as it is recorded and as trackers show it. */
export interface RunDescription {
  /** Name for people. */
  readonly name: string;
  /** Id for programs, by which a later process goes on with the run. Default: the folder's earlier one, or a random one. */
  readonly id?: string;
  /** W&B's project, MLflow's experiment. Default `qlora`. */
  readonly project?: string;
  /** W&B's user or team. Default: the key's own. */
  readonly entity?: string;
  /** The search a trial belongs to: W&B's group; in MLflow a parent run of this name. */
  readonly group?: string;
  /** W&B's job type, such as `trial` or `final`. */
  readonly jobType?: string;
  /** Settings, of any JSON-like shape; secrets in it are left out (see `jsonSafe`). */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Words to find the run by. */
  readonly tags?: readonly string[];
  /** Names of the trackers that `syncRuns` sends the run to. */
  readonly reportTo?: readonly string[];
}

/** A file of an artifact, as it was when it was logged. */
export interface ArtifactFile {
  /** Path in the artifact, with slashes. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** MD5 in base64, which is what W&B's manifests hold. */
  readonly md5: string;
}

/** Values of a tensor by bin: `counts[i]` of them lie between `edges[i]` and `edges[i + 1]`. */
export interface Histogram {
  /** One more than counts, ascending. */
  readonly edges: readonly number[];
  /** Values in each bin. */
  readonly counts: readonly number[];
}

/** When an event was written: ISO 8601, UTC. */
interface Timed {
  readonly time: string;
}

/** A run begins, or a later process goes on with it. */
export interface StartEvent extends Timed {
  readonly event: 'start';
  readonly id: string;
  readonly name: string;
  readonly project: string;
  readonly entity: string | undefined;
  readonly group: string | undefined;
  readonly jobType: string | undefined;
  readonly config: Readonly<Record<string, JsonValue>>;
  readonly tags: readonly string[];
  readonly reportTo: readonly string[];
}

/** The figures of one step. */
export interface LogEvent extends Timed {
  readonly event: 'log';
  readonly step: number;
  readonly metrics: MetricValues;
}

/** How the values of a tensor were spread at one step. */
export interface HistogramEvent extends Timed, Histogram {
  readonly event: 'histogram';
  readonly step: number;
  readonly name: string;
}

/** What the run came to; later ones replace earlier values of the same name. */
export interface SummaryEvent extends Timed {
  readonly event: 'summary';
  readonly values: Readonly<Record<string, JsonValue>>;
}

/** Files that the run made. */
export interface ArtifactEvent extends Timed {
  readonly event: 'artifact';
  readonly name: string;
  readonly type: string;
  /** Folder of the files, relative to the run's folder where it lies inside, with slashes. */
  readonly folder: string;
  readonly files: readonly ArtifactFile[];
}

/** Lines that a full disk kept out of the file: their number. */
export interface LostEvent extends Timed {
  readonly event: 'lost';
  readonly lines: number;
}

/** The run is over. */
export interface FinishEvent extends Timed {
  readonly event: 'finish';
  readonly status: RunStatus;
}

/** One line of a run's JSON lines. */
export type RunEvent = StartEvent | LogEvent | HistogramEvent | SummaryEvent | ArtifactEvent | LostEvent | FinishEvent;

/** An event as the line that `parseRunEvent` reads back, with its line feed; NaN and infinities as strings. */
export function runEventLine(event: RunEvent): string {
  const { jobType, reportTo, ...rest } = event as RunEvent & Partial<StartEvent>;
  const row = { ...rest, job_type: jobType, report_to: reportTo };
  return `${JSON.stringify(row, (_key, value: unknown) =>
    typeof value === 'number' && !Number.isFinite(value) ? String(value) : value,
  )}\n`;
}

/** The event that a line holds, or undefined where it is none: cut off by a crash, or another program's. */
export function parseRunEvent(line: string): RunEvent | undefined {
  let row: unknown;
  try {
    row = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isObject(row) || typeof row['time'] !== 'string' || typeof row['event'] !== 'string') return undefined;
  const parse = Object.hasOwn(PARSERS, row['event']) ? PARSERS[row['event'] as RunEvent['event']] : undefined;
  return parse?.(row, row['time']);
}

type Row = Record<string, unknown>;

const PARSERS: { [Kind in RunEvent['event']]: (row: Row, time: string) => RunEvent | undefined } = {
  start: (row, time) => {
    const { id, name, project, config, tags } = row;
    const optional = ['entity', 'group', 'job_type'].map((key) => row[key]);
    if (!isText(id) || !isText(name) || !isText(project) || !isObject(config) || !isTexts(tags)) return undefined;
    if (!optional.every((value) => value === undefined || isText(value))) return undefined;
    const [entity, group, jobType] = optional;
    const reportTo = isTexts(row['report_to']) ? row['report_to'] : [];
    return {
      event: 'start',
      time,
      id,
      name,
      project,
      entity,
      group,
      jobType,
      config: config as StartEvent['config'],
      tags,
      reportTo,
    };
  },
  log: (row, time) => {
    const { step, metrics } = row;
    const numbers = isObject(metrics) ? asNumbers(Object.values(metrics)) : undefined;
    if (!isStep(step) || numbers === undefined) return undefined;
    const names = Object.keys(metrics as Row);
    return { event: 'log', time, step, metrics: Object.fromEntries(names.map((name, i) => [name, numbers[i]!])) };
  },
  histogram: (row, time) => {
    const { step, name } = row;
    const edges = Array.isArray(row['edges']) ? asNumbers(row['edges']) : undefined;
    const counts = Array.isArray(row['counts']) ? asNumbers(row['counts']) : undefined;
    if (!isStep(step) || !isText(name) || edges === undefined || counts === undefined) return undefined;
    if (edges.length !== counts.length + 1) return undefined;
    return { event: 'histogram', time, step, name, edges, counts };
  },
  summary: ({ values }, time) =>
    isObject(values) ? { event: 'summary', time, values: values as SummaryEvent['values'] } : undefined,
  artifact: ({ name, type, folder, files }, time) => {
    if (!isText(name) || !isText(type) || typeof folder !== 'string' || !Array.isArray(files)) return undefined;
    const known = files.filter(isArtifactFile);
    if (known.length !== files.length) return undefined;
    return { event: 'artifact', time, name, type, folder, files: known };
  },
  lost: ({ lines }, time) => (isStep(lines) ? { event: 'lost', time, lines } : undefined),
  finish: ({ status }, time) =>
    RUN_STATUSES.includes(status as RunStatus) ? { event: 'finish', time, status: status as RunStatus } : undefined,
};

function isObject(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function isStep(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** A path that stays in its folder, so that a hostile line can't name another file. */
function isArtifactFile(value: unknown): value is ArtifactFile {
  if (!isObject(value) || !isText(value['path']) || !isStep(value['size']) || !isText(value['md5'])) return false;
  return value['path'].split('/').every((part) => part !== '' && part !== '.' && part !== '..' && !/[\\\0]/.test(part));
}

function asNumbers(values: readonly unknown[]): number[] | undefined {
  const numbers = values.map((value) => {
    if (typeof value === 'number') return value;
    return value === 'NaN' || value === 'Infinity' || value === '-Infinity' ? Number(value) : undefined;
  });
  return numbers.every((value) => value !== undefined) ? numbers : undefined;
}

/** @throws TrackingError INVALID_ARGUMENT with the step or the metric's name */
export function checkMetrics(metrics: MetricValues, step: number): void {
  checkStep(step);
  for (const [name, value] of Object.entries(metrics)) {
    if (name === '') {
      throw new TrackingError('INVALID_ARGUMENT', 'a metric has an empty name', { place: `step ${step}`, value: name });
    }
    if (typeof value !== 'number') {
      throw new TrackingError('INVALID_ARGUMENT', `metric ${shown(name)} is ${shown(value)}`, {
        place: `step ${step}`,
        value,
        remedy: 'Metrics are numbers; texts go into the summary',
      });
    }
  }
}

/** @throws TrackingError INVALID_ARGUMENT with the step */
export function checkStep(step: number): void {
  if (isStep(step)) return;
  throw new TrackingError('INVALID_ARGUMENT', `the step is ${shown(step)}`, {
    value: step,
    remedy: 'Steps are integers of at least 0',
  });
}
