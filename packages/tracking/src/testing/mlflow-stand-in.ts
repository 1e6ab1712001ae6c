import { LoopbackServer, type SeenRequest } from './loopback';

type Json = Record<string, unknown>;

/** A metric as MLflow's file store has it: one that comes twice is there twice. */
interface StoredMetric {
  readonly key: string;
  readonly value: number | string;
  readonly timestamp: number;
  readonly step: number;
}

/** A run as the server has it. */
export interface StandInMlflowRun {
  readonly id: string;
  readonly name: string;
  status: string;
  readonly tags: Map<string, string>;
  readonly params: Map<string, string>;
  readonly metrics: StoredMetric[];
}

/**
 * Stands in for MLflow's server: the calls of its REST API that a run uses. `npm run verify -- trackers` has the real server, and
 * the Python client reads back what it holds.
 */
export class MlflowStandIn {
  readonly experiments: string[] = [];
  readonly runs: StandInMlflowRun[] = [];
  /** What was put into the artifact storage, by path. */
  readonly stored = new Map<string, string>();

  private constructor(readonly server: LoopbackServer) {}

  static async start(): Promise<MlflowStandIn> {
    let standIn: MlflowStandIn | undefined = undefined as MlflowStandIn | undefined;
    const server = await LoopbackServer.start((request) => standIn!.answer(request));
    standIn = new MlflowStandIn(server);
    return standIn;
  }

  private answer({ method, url, body }: SeenRequest): unknown {
    const { pathname, searchParams } = new URL(url, 'http://host');
    const artifact = /^\/api\/2\.0\/mlflow-artifacts\/artifacts\/(.+)$/.exec(pathname)?.[1];
    if (method === 'PUT' && artifact !== undefined) {
      this.stored.set(decodeURIComponent(artifact), body.toString());
      return {};
    }
    const given = (method === 'POST' ? JSON.parse(body.toString()) : Object.fromEntries(searchParams)) as Json;
    switch (pathname.replace('/api/2.0/mlflow/', '')) {
      case 'experiments/get-by-name': {
        const id = this.experiments.indexOf(given['experiment_name'] as string);
        return id < 0 ? undefined : { experiment: { experiment_id: `${id}` } };
      }
      case 'experiments/create':
        return { experiment_id: `${this.experiments.push(given['name'] as string) - 1}` };
      case 'runs/search': {
        const [, key, value] = /^tags\.`(.+)` = '(.*)'$/.exec(given['filter'] as string)!;
        return { runs: this.runs.filter((run) => run.tags.get(key!) === value).map(shown) };
      }
      case 'runs/create': {
        const tags = new Map((given['tags'] as { key: string; value: string }[]).map((tag) => [tag.key, tag.value]));
        const name = given['run_name'] as string;
        this.runs.push({ id: `run${this.runs.length}`, name, status: 'RUNNING', tags, params: new Map(), metrics: [] });
        return { run: shown(this.runs.at(-1)!) };
      }
      case 'runs/update':
        this.run(given).status = given['status'] as string;
        return {};
      case 'runs/log-batch': {
        const run = this.run(given);
        const pairs = (name: string): { key: string; value: string }[] => (given[name] ?? []) as never;
        for (const { key, value } of pairs('params')) run.params.set(key, value);
        for (const { key, value } of pairs('tags')) run.tags.set(key, value);
        run.metrics.push(...((given['metrics'] ?? []) as StoredMetric[]));
        return {};
      }
      case 'metrics/get-history':
        return { metrics: this.run(given).metrics.filter(({ key }) => key === given['metric_key']) };
      default:
        return undefined;
    }
  }

  private run({ run_id }: Json): StandInMlflowRun {
    return this.runs.find(({ id }) => id === run_id)!;
  }
}

function shown({ id, status }: StandInMlflowRun): unknown {
  return { info: { run_id: id, status, artifact_uri: `mlflow-artifacts:/0/${id}/artifacts` } };
}
