import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { UsageError } from '../errors';
import { engineName, type Launcher, type WorkerJobs, type WorkerState } from './launcher';

/** A job in the answer of Ray's Jobs API. Source: ray.dashboard.modules.job.pydantic_models.JobDetails. */
interface Job {
  readonly submission_id?: string | null;
  readonly status: string;
  readonly metadata?: Readonly<Record<string, string>> | null;
}

/** States in which a job has ended. Source: ray.job_submission.JobStatus. */
const ENDED = ['SUCCEEDED', 'FAILED', 'STOPPED'];
/** Milliseconds between two looks at logs. */
const LOOK_MS = 1000;
/** How many looks a head may take to be ready. */
const PATIENCE_LOOKS = 60;

/** Workers as jobs of a Ray cluster, by the REST interface of its head node. */
export class RayLauncher implements Launcher {
  private readonly address: string;

  /**
   * @param target ray://HEAD or ray://HEAD:PORT, the port being the dashboard's, 8265 by default
   * @param lookMs milliseconds between two looks at logs
   */
  constructor(
    target: string,
    private readonly lookMs = LOOK_MS,
  ) {
    const [, host, port = '8265'] = /^ray:\/\/(\[[^\]]+\]|[^:/?#@]+)(?::(\d+))?\/?$/.exec(target) ?? [];
    if (host === undefined)
      throw new UsageError('USAGE', `--launch ${target} is no address of a Ray head`, {
        remedy: 'write ray://HEAD or ray://HEAD:PORT',
      });
    this.address = `http://${host}:${port}`;
  }

  async start({ study, workers, cpus, gpus, command }: WorkerJobs): Promise<readonly string[]> {
    const ids: string[] = [];
    for (let index = 1; index <= workers; index++) {
      const submission = `${engineName(study)}-${index}-${randomUUID().slice(0, 8)}`;
      await this.submit({
        entrypoint: command(String(index)),
        submission_id: submission,
        metadata: { qlora_study: study },
        entrypoint_num_cpus: cpus,
        entrypoint_num_gpus: gpus,
      });
      ids.push(submission);
    }
    return ids;
  }

  /** Submits a job; a head that has just started has nobody for it yet, and says so. */
  private async submit(job: object): Promise<void> {
    for (const end = performance.now() + PATIENCE_LOOKS * this.lookMs; ; await delay(this.lookMs)) {
      try {
        return void (await this.ask('POST', '/api/jobs/', job));
      } catch (error) {
        const early = UsageError.isInstance(error) && error.message.includes('try again later');
        if (!early || performance.now() > end) throw error;
      }
    }
  }

  async list(study: string): Promise<readonly WorkerState[]> {
    const jobs = (await this.ask('GET', '/api/jobs/')) as readonly Job[];
    return jobs.flatMap(({ submission_id: id, status, metadata }) =>
      id !== null && id !== undefined && metadata?.['qlora_study'] === study ? [{ id, state: status }] : [],
    );
  }

  async stop(study: string): Promise<readonly string[]> {
    const alive = (await this.list(study)).filter(({ state }) => !ENDED.includes(state));
    for (const { id } of alive) await this.ask('POST', `/api/jobs/${id}/stop`);
    return alive.map(({ id }) => id);
  }

  readonly follow = async (
    ids: readonly string[],
    line: (text: string) => void,
    signal: AbortSignal,
  ): Promise<void> => {
    const seen = new Map(ids.map((id) => [id, 0]));
    while (seen.size > 0 && !signal.aborted) {
      for (const [id, shown] of seen) {
        // The state first: what is printed before an end is in the logs then.
        const { status } = (await this.ask('GET', `/api/jobs/${id}`)) as Job;
        const logs = await this.logsOf(id, seen.get(id)!);
        const ended = ENDED.includes(status);
        const end = ended ? logs.length : logs.lastIndexOf('\n') + 1;
        for (const text of logs.slice(shown, end).split('\n')) if (text !== '') line(`${id}: ${text}`);
        seen.set(id, Math.max(shown, end));
        if (!ended) continue;
        line(`${id}: ${status}`);
        seen.delete(id);
      }
      if (seen.size > 0) await delay(this.lookMs, undefined, { signal }).catch(() => undefined);
    }
  };

  /** What a job has printed; as much as is known already where the head can't tell, its node not being up or being lost. */
  private async logsOf(id: string, known: number): Promise<string> {
    try {
      const { logs = '' } = (await this.ask('GET', `/api/jobs/${id}/logs`)) as { readonly logs?: string };
      return logs;
    } catch (error) {
      if (!UsageError.isInstance(error) || !/: 5\d\d /.test(error.message)) throw error;
      return ' '.repeat(known);
    }
  }

  private async ask(method: string, path: string, body?: object): Promise<unknown> {
    let answer: { readonly status: number; readonly text: string };
    try {
      answer = await exchange(`${this.address}${path}`, method, body === undefined ? '' : JSON.stringify(body));
    } catch (cause) {
      throw new UsageError('USAGE', `no Ray head answers at ${this.address}`, {
        cause,
        remedy: 'start one by ray start --head, or name the port of its dashboard',
      });
    }
    const { status, text } = answer;
    if (status >= 400)
      throw new UsageError(
        'USAGE',
        `Ray at ${this.address} refused ${method} ${path}: ${status} ${text.slice(0, 300)}`,
      );
    return text === '' ? undefined : JSON.parse(text);
  }
}

/** One request. Not by fetch: its headers are a browser's, from which the head takes no orders. */
function exchange(url: string, method: string, body: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers =
      body === '' ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const sent = request(url, { method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode!, text: Buffer.concat(chunks).toString('utf8') }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
