import { Buffer } from 'node:buffer';
import { TrackingError } from '../../errors';
import { type JsonValue } from '../../json-safe';
import { type ArtifactEvent, type RunEvent, type StartEvent } from '../../run-event';
import { type Delivery, type Tracker } from '../../tracker';
import { type HttpRequest, placeOf, request, requestJson } from '../http';
import { metricName, paramsOf, type MlflowMetric } from './values';

/** Where MLflow is, and who asks. */
export interface MlflowTrackerOptions {
  /** Address of the tracking server, without credentials, such as http://127.0.0.1:5000. */
  readonly trackingUri: string;
  /** Value of the header Authorization; none for open servers. */
  readonly authorization?: string;
}

/** What a delivery leaves for the next. */
interface MlflowState {
  readonly experimentId: string;
  readonly runId: string;
  /** Where artifacts go, as the server has it. */
  readonly artifactUri: string;
  /** The run of its group. */
  readonly parentRunId?: string;
}

/** What MLflow takes in one call (mlflow/utils/validation.py): MAX_METRICS_PER_BATCH, MAX_PARAMS_TAGS_PER_BATCH. */
const METRICS_A_CALL = 1000;
const PARAMS_A_CALL = 100;

const ID_TAG = 'qlora.run_id';
const GROUP_TAG = 'qlora.group';

/**
 * The server by `MLFLOW_TRACKING_URI`; a token by `MLFLOW_TRACKING_TOKEN`, or user and password by `MLFLOW_TRACKING_USERNAME` and
 * `MLFLOW_TRACKING_PASSWORD` or by the address.
 *
 * @throws TrackingError MISSING_KEY where there is no address, INVALID_ARGUMENT where it is none
 */
export function mlflowLogin(env: Readonly<Record<string, string | undefined>>): MlflowTrackerOptions {
  const place = 'MLFLOW_TRACKING_URI';
  const text = env[place];
  if (!text) {
    throw new TrackingError('MISSING_KEY', 'there is no address of a tracking server', {
      place,
      remedy: 'Set it to a server, such as http://127.0.0.1:5000',
    });
  }
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) {
    throw new TrackingError('INVALID_ARGUMENT', 'the address is not one of http or https', {
      place,
      remedy: 'Files and databases are reached through a server: mlflow server --backend-store-uri ...',
    });
  }
  const url = new URL(text);
  const user = env['MLFLOW_TRACKING_USERNAME'] || decodeURIComponent(url.username);
  const password = env['MLFLOW_TRACKING_PASSWORD'] || decodeURIComponent(url.password);
  url.username = '';
  url.password = '';
  const token = env['MLFLOW_TRACKING_TOKEN'];
  const basic = user === '' ? undefined : `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const authorization = token ? `Bearer ${token}` : basic;
  return { trackingUri: url.href.replace(/\/+$/, ''), authorization };
}

/**
 * Shows runs in MLflow over its REST API: `project` is the experiment, `group` a parent run of that name. A delivery that comes
 * again first asks which metrics the server has, so that no store holds one twice.
 */
export class MlflowTracker implements Tracker {
  readonly name = 'mlflow';
  readonly intervalMs = 2_000;

  constructor(private readonly options: MlflowTrackerOptions) {}

  async deliver(delivery: Delivery): Promise<JsonValue> {
    const [first] = delivery.events;
    const before = delivery.state as unknown as MlflowState | undefined;
    if (first?.event === 'start') return (await this.begin(first, before, delivery.signal)) as unknown as JsonValue;
    if (before === undefined) {
      throw new TrackingError('REFUSED', 'the lines do not begin with the start of a run', { place: 'mlflow' });
    }
    await this.send(before, delivery);
    return before as unknown as JsonValue;
  }

  private async begin(start: StartEvent, before: MlflowState | undefined, signal: AbortSignal): Promise<MlflowState> {
    if (before !== undefined) {
      for (const run_id of [before.runId, before.parentRunId]) {
        if (run_id !== undefined) await this.post('runs/update', { run_id, status: 'RUNNING' }, signal);
      }
      return before;
    }
    const experimentId = await this.experiment(start.project, signal);
    const started = Date.parse(start.time);
    const parent =
      start.group === undefined
        ? undefined
        : await this.run({ experimentId, tag: GROUP_TAG, value: start.group, name: start.group, started, signal });
    const tags = [
      ...start.tags.map((tag) => ({ key: tag, value: 'true' })),
      ...(start.jobType === undefined ? [] : [{ key: 'job_type', value: start.jobType }]),
      ...(parent === undefined ? [] : [{ key: 'mlflow.parentRunId', value: parent.runId }]),
    ];
    const run = await this.run({ experimentId, tag: ID_TAG, value: start.id, name: start.name, started, tags, signal });
    const params = paramsOf(start.config);
    for (let i = 0; i < params.length; i += PARAMS_A_CALL) {
      await this.post('runs/log-batch', { run_id: run.runId, params: params.slice(i, i + PARAMS_A_CALL) }, signal);
    }
    if (parent !== undefined) await this.post('runs/update', { run_id: parent.runId, status: 'RUNNING' }, signal);
    return { ...run, parentRunId: parent?.runId };
  }

  private async send(run: MlflowState, { events, repeated, readArtifact, signal }: Delivery): Promise<void> {
    const logged = events.flatMap((event) => metricsOf(event));
    const metrics = repeated ? await this.missing(run, logged, signal) : logged;
    for (let i = 0; i < metrics.length; i += METRICS_A_CALL) {
      await this.post('runs/log-batch', { run_id: run.runId, metrics: metrics.slice(i, i + METRICS_A_CALL) }, signal);
    }
    for (const event of events) {
      if (event.event === 'summary') {
        const tags = Object.entries(event.values).flatMap(([key, value]) =>
          typeof value === 'number' ? [] : [{ key: metricName(key), value: textOf(value).slice(0, 5000) }],
        );
        if (tags.length > 0) await this.post('runs/log-batch', { run_id: run.runId, tags }, signal);
      } else if (event.event === 'artifact') {
        for (const { path } of event.files)
          await this.upload(run, event, { path, body: await readArtifact(event, path), signal });
      } else if (event.event === 'finish') {
        const status = { finished: 'FINISHED', pruned: 'FINISHED', failed: 'FAILED', interrupted: 'KILLED' }[
          event.status
        ];
        const end_time = Date.parse(event.time);
        await this.post('runs/update', { run_id: run.runId, status, end_time }, signal);
        // Nobody but its trials knows when a search ends: it has, unless another trial begins.
        const run_id = run.parentRunId;
        if (run_id !== undefined) await this.post('runs/update', { run_id, status: 'FINISHED', end_time }, signal);
      }
    }
  }

  private async experiment(name: string, signal: AbortSignal): Promise<string> {
    const find = async (): Promise<string | undefined> => {
      const query = new URLSearchParams({ experiment_name: name });
      try {
        const answer = await this.call({ method: 'GET', path: `experiments/get-by-name?${query.toString()}`, signal });
        return needed(
          (answer['experiment'] as Record<string, unknown> | undefined)?.['experiment_id'],
          'experiment_id',
        );
      } catch (error) {
        if (TrackingError.isInstance(error) && error.value === 404) return undefined;
        throw error;
      }
    };
    const found = await find();
    if (found !== undefined) return found;
    try {
      return needed((await this.post('experiments/create', { name }, signal))['experiment_id'], 'experiment_id');
    } catch (error) {
      // Another process has made it between the two calls.
      const made = TrackingError.isInstance(error) && error.code === 'REFUSED' ? await find() : undefined;
      if (made === undefined) throw error;
      return made;
    }
  }

  /** The run that has the tag, made where there is none: a start that comes twice makes one run. */
  private async run(wanted: {
    experimentId: string;
    tag: string;
    value: string;
    name: string;
    started: number;
    tags?: readonly { key: string; value: string }[];
    signal: AbortSignal;
  }): Promise<MlflowState> {
    const { experimentId, tag, name, started, tags = [], signal } = wanted;
    // Texts of MLflow's filters know no escapes.
    const value = wanted.value.replaceAll(/['"`\\]/g, '_');
    const filter = `tags.\`${tag}\` = '${value}'`;
    const { runs } = await this.post('runs/search', { experiment_ids: [experimentId], filter, max_results: 1 }, signal);
    const [found] = Array.isArray(runs) ? (runs as unknown[]) : [];
    if (found !== undefined) return stateOf(found, experimentId);
    const body = {
      experiment_id: experimentId,
      run_name: name,
      start_time: started,
      tags: [{ key: tag, value }, { key: 'mlflow.source.name', value: 'qlora.js' }, ...tags],
    };
    return stateOf((await this.post('runs/create', body, signal))['run'], experimentId);
  }

  /** The metrics that the server does not have yet. */
  private async missing(
    run: MlflowState,
    metrics: readonly MlflowMetric[],
    signal: AbortSignal,
  ): Promise<MlflowMetric[]> {
    const has = new Set<string>();
    for (const key of new Set(metrics.map((metric) => metric.key))) {
      let page = '';
      do {
        const query = new URLSearchParams({ run_id: run.runId, metric_key: key, max_results: '25000' });
        if (page !== '') query.set('page_token', page);
        const answer = await this.call({ method: 'GET', path: `metrics/get-history?${query.toString()}`, signal });
        for (const metric of Array.isArray(answer['metrics']) ? (answer['metrics'] as Record<string, unknown>[]) : []) {
          has.add(`${key} ${Number(metric['step'] ?? 0)} ${Number(metric['timestamp'])}`);
        }
        page = typeof answer['next_page_token'] === 'string' ? answer['next_page_token'] : '';
      } while (page !== '');
    }
    return metrics.filter(({ key, step, timestamp }) => !has.has(`${key} ${step} ${timestamp}`));
  }

  /** Through the server's proxy of its artifact storage. */
  private async upload(
    run: MlflowState,
    artifact: ArtifactEvent,
    { path, body, signal }: { path: string; body: Uint8Array; signal: AbortSignal },
  ): Promise<void> {
    if (!run.artifactUri.startsWith('mlflow-artifacts:')) {
      throw new TrackingError(
        'REFUSED',
        `artifacts of this run are kept at ${placeOf(run.artifactUri)}, past the server`,
        {
          place: 'mlflow',
          remedy: 'Start the server with --serve-artifacts',
        },
      );
    }
    const root = new URL(run.artifactUri).pathname.split('/').filter((part) => part !== '');
    const parts = [...root.map(decodeURIComponent), artifact.name, ...path.split('/')].map(encodeURIComponent);
    await request({
      method: 'PUT',
      url: `${this.options.trackingUri}/api/2.0/mlflow-artifacts/artifacts/${parts.join('/')}`,
      headers: { ...this.headers(), 'content-type': 'application/octet-stream' },
      body,
      signal,
      secrets: this.secrets(),
    });
  }

  private post(path: string, body: object, signal: AbortSignal): Promise<Record<string, unknown>> {
    return this.call({ method: 'POST', path, body, signal });
  }

  private call(call: {
    method: HttpRequest['method'];
    path: string;
    body?: object;
    signal: AbortSignal;
  }): Promise<Record<string, unknown>> {
    const { method, path, body, signal } = call;
    return requestJson({
      method,
      url: `${this.options.trackingUri}/api/2.0/mlflow/${path}`,
      headers: { ...this.headers(), ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal,
      secrets: this.secrets(),
    });
  }

  private headers(): Record<string, string> {
    const { authorization } = this.options;
    return authorization === undefined ? {} : { authorization };
  }

  private secrets(): string[] {
    return this.options.authorization?.split(' ').slice(1) ?? [];
  }
}

function metricsOf(event: RunEvent): MlflowMetric[] {
  if (event.event !== 'log' && event.event !== 'summary') return [];
  const step = event.event === 'log' ? event.step : 0;
  const timestamp = Date.parse(event.time);
  return Object.entries(event.event === 'log' ? event.metrics : event.values).flatMap(([name, value]) =>
    typeof value === 'number'
      ? [{ key: metricName(name), value: Number.isFinite(value) ? value : (String(value) as 'NaN'), timestamp, step }]
      : [],
  );
}

function stateOf(run: unknown, experimentId: string): MlflowState {
  const info = (run as { info?: Record<string, unknown> } | undefined)?.info ?? {};
  return {
    experimentId,
    runId: needed(info['run_id'], 'run_id'),
    artifactUri: typeof info['artifact_uri'] === 'string' ? info['artifact_uri'] : '',
  };
}

function needed(value: unknown, name: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new TrackingError('BAD_ANSWER', `the answer has no ${name}`, { place: 'mlflow' });
}

function textOf(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
