import { TrackingError } from '../../errors';
import { type JsonValue } from '../../json-safe';
import { type RunEvent, type StartEvent } from '../../run-event';
import { type Delivery, type Tracker } from '../../tracker';
import { netrcPassword } from '../netrc';
import { at, neededText, textAt, WandbApi } from './api';
import { uploadArtifact } from './artifact';
import { CREATE_RUN_FILES, UPSERT_BUCKET } from './queries';
import { columnsOf, rowText, type WandbRow } from './rows';

/** Where Weights & Biases is, and who asks. */
export interface WandbTrackerOptions {
  /** Such as https://api.wandb.ai. */
  readonly baseUrl: string;
  readonly apiKey: string;
}

/** What a delivery leaves for the next. */
interface WandbState {
  readonly entity: string;
  readonly project: string;
  readonly id: string;
  readonly config: WandbRow;
  /** When the run began, in milliseconds since 1970. */
  readonly startedAt: number;
  /** Lines of history that the server has. */
  readonly historyLines: number;
  /** The row of the latest step, which may still grow. */
  readonly pending: WandbRow | null;
  readonly lastStep: number;
  readonly summary: WandbRow;
}

/** Exit codes as wandb 0.31 gives them: 255 is an interrupt. */
const EXIT_CODES = { finished: 0, pruned: 0, failed: 1, interrupted: 255 };

/** The address of Weights & Biases' own service. */
export const WANDB_CLOUD = 'https://api.wandb.ai';

/**
 * The key by `WANDB_API_KEY` or by netrc's entry for the server's host, and the server by `WANDB_BASE_URL`.
 *
 * @throws TrackingError MISSING_KEY, INVALID_ARGUMENT for an address that is none, READ_FAILED for netrc
 */
export async function wandbLogin(env: Readonly<Record<string, string | undefined>>): Promise<WandbTrackerOptions> {
  const baseUrl = (env['WANDB_BASE_URL'] || WANDB_CLOUD).replace(/\/+$/, '');
  if (!/^https?:\/\/[^@\s]+$/.test(baseUrl) || !URL.canParse(baseUrl)) {
    throw new TrackingError('INVALID_ARGUMENT', 'the address is not one of http or https without credentials', {
      place: 'WANDB_BASE_URL',
    });
  }
  const { hostname } = new URL(baseUrl);
  const apiKey = env['WANDB_API_KEY'] || (await netrcPassword(hostname, env));
  if (apiKey !== undefined) return { baseUrl, apiKey };
  throw new TrackingError('MISSING_KEY', `there is no key for ${hostname}`, {
    place: 'wandb',
    remedy:
      "Set WANDB_API_KEY, or give netrc an entry 'machine HOST login user password KEY', or set WANDB_MODE=offline",
  });
}

/**
 * Shows runs in Weights & Biases by its own HTTP protocol: GraphQL for the run and its artifacts, `file_stream` for its
 * rows. Rows of one step become one row of history; a step below the latest is left out, as W&B's own client does. Rows are
 * numbered, so that rows sent twice are one.
 */
export class WandbTracker implements Tracker {
  readonly name = 'wandb';
  readonly intervalMs = 2_000;

  constructor(private readonly options: WandbTrackerOptions) {}

  async deliver(delivery: Delivery): Promise<JsonValue> {
    const api = new WandbApi({ ...this.options, signal: delivery.signal });
    const [first] = delivery.events;
    const before = delivery.state as unknown as WandbState | undefined;
    if (first?.event === 'start') return (await this.begin(api, first, { before, delivery })) as unknown as JsonValue;
    if (before === undefined) {
      throw new TrackingError('REFUSED', 'the lines do not begin with the start of a run', { place: 'wandb' });
    }
    return (await this.send(api, before, delivery)) as unknown as JsonValue;
  }

  async settle({ state, signal }: Delivery): Promise<JsonValue> {
    const before = state as unknown as WandbState;
    if (before.pending === null) return before as unknown as JsonValue;
    const rows = new Rows(before);
    rows.flush();
    const files = { 'wandb-history.jsonl': { offset: before.historyLines, content: rows.lines } };
    await new WandbApi({ ...this.options, signal }).fileStream(before, { files });
    return rows.after() as unknown as JsonValue;
  }

  private async begin(
    api: WandbApi,
    start: StartEvent,
    { before, delivery }: { before: WandbState | undefined; delivery: Delivery },
  ): Promise<WandbState> {
    const config = { ...before?.config, ...wrapped(start.config) };
    const answer = await api.graphql('UpsertBucket', UPSERT_BUCKET, {
      id: null,
      name: start.id,
      project: start.project,
      entity: start.entity ?? null,
      groupName: start.group ?? null,
      description: null,
      displayName: start.name,
      notes: null,
      commit: null,
      config: JSON.stringify(config),
      host: null,
      debug: null,
      program: null,
      repo: null,
      jobType: start.jobType ?? null,
      state: null,
      sweep: null,
      tags: start.tags,
      summaryMetrics: null,
    });
    const bucket = ['upsertBucket', 'bucket'] as const;
    const entity = neededText(answer, 'UpsertBucket', [...bucket, 'project', 'entity', 'name']);
    const project = neededText(answer, 'UpsertBucket', [...bucket, 'project', 'name']);
    const id = textAt(answer, ...bucket, 'name') ?? start.id;
    const lines = at(answer, ...bucket, 'historyLineCount');
    if (before === undefined) {
      const web = this.options.baseUrl.replace(/^https:\/\/api\.wandb\.ai$/, 'https://wandb.ai');
      delivery.report(`wandb: ${web}/${[entity, project, 'runs', id].map(encodeURIComponent).join('/')}`);
    }
    return {
      entity,
      project,
      id,
      config,
      startedAt: before?.startedAt ?? Date.parse(start.time),
      // A run that another folder began has rows already; ours go behind them.
      historyLines: before?.historyLines ?? (Number.isSafeInteger(lines) ? (lines as number) : 0),
      pending: before?.pending ?? null,
      lastStep: before?.lastStep ?? -1,
      summary: before?.summary ?? {},
    };
  }

  private async send(api: WandbApi, before: WandbState, delivery: Delivery): Promise<WandbState> {
    const rows = new Rows(before);
    const run = { entity: before.entity, project: before.project, id: before.id };
    let finish: RunEvent | undefined;
    for (const event of delivery.events) {
      if (event.event === 'artifact') {
        const read = (path: string): Promise<Uint8Array> => delivery.readArtifact(event, path);
        await uploadArtifact(event, { api, run, step: Math.max(0, rows.lastStep), read });
      } else if (event.event === 'finish') {
        finish = event;
        rows.flush();
      } else {
        rows.add(event);
      }
    }
    const after = rows.after();
    const files: Record<string, unknown> = {};
    if (rows.lines.length > 0) {
      files['wandb-history.jsonl'] = { offset: before.historyLines, content: rows.lines };
    }
    files['wandb-summary.json'] = { offset: 0, content: [rowText(after.summary)] };
    if (finish?.event === 'finish') {
      const uploaded = await uploadRunFiles(api, run, {
        'wandb-summary.json': rowText(after.summary),
        // JSON is YAML.
        'config.yaml': `${JSON.stringify(after.config, null, 2)}\n`,
      });
      const exitcode = EXIT_CODES[finish.status];
      await api.fileStream(run, { files, uploaded, complete: true, exitcode });
    } else {
      await api.fileStream(run, { files });
    }
    return after;
  }
}

/** The rows of history that events come to. */
class Rows {
  readonly lines: string[] = [];
  lastStep: number;
  private pending: WandbRow | null;
  private summary: WandbRow;

  constructor(private readonly before: WandbState) {
    this.pending = before.pending;
    this.lastStep = before.lastStep;
    this.summary = before.summary;
  }

  add(event: RunEvent): void {
    if (event.event === 'summary') this.summary = { ...this.summary, ...event.values };
    if (event.event !== 'log' && event.event !== 'histogram') return;
    if (event.step < this.lastStep) return;
    const time = Date.parse(event.time);
    const runtime = (time - this.before.startedAt) / 1000;
    const columns = columnsOf(event, { timestamp: time / 1000, runtime });
    if (event.step > this.lastStep) this.flush();
    this.pending = { ...this.pending, ...columns };
    this.lastStep = event.step;
    const shownLast = event.event === 'log' ? columns : {};
    this.summary = { ...this.summary, ...shownLast, _wandb: { runtime: Math.floor(runtime) } };
  }

  flush(): void {
    if (this.pending !== null) this.lines.push(rowText(this.pending));
    this.pending = null;
  }

  after(): WandbState {
    const { lastStep, pending, summary } = this;
    return { ...this.before, historyLines: this.before.historyLines + this.lines.length, lastStep, pending, summary };
  }
}

/** W&B's config: each value under `value`. */
function wrapped(config: StartEvent['config']): WandbRow {
  return Object.fromEntries(Object.entries(config).map(([key, value]) => [key, { value }]));
}

async function uploadRunFiles(
  api: WandbApi,
  run: { entity: string; project: string; id: string },
  files: Readonly<Record<string, string>>,
): Promise<string[]> {
  const names = Object.keys(files);
  const { entity, project, id } = run;
  const answer = await api.graphql('CreateRunFiles', CREATE_RUN_FILES, { entity, project, run: id, files: names });
  const places = at(answer, 'createRunFiles', 'files');
  const headers = at(answer, 'createRunFiles', 'uploadHeaders');
  const headerTexts = Array.isArray(headers) ? headers.filter((header) => typeof header === 'string') : [];
  const uploaded: string[] = [];
  for (const place of Array.isArray(places) ? (places as unknown[]) : []) {
    const [name, url] = [textAt(place, 'name'), textAt(place, 'uploadUrl')];
    if (name === undefined || url === undefined || !Object.hasOwn(files, name)) continue;
    await api.upload(url, headerTexts, files[name]!);
    uploaded.push(name);
  }
  return uploaded;
}
