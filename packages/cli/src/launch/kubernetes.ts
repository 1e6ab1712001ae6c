import { UsageError } from '../errors';
import { quoted } from '../options/check';
import { engineName, type Launcher, type WorkerJobs, type WorkerState } from './launcher';
import { runTool } from './run-tool';

/** What a cluster must be told besides. */
export interface KubernetesOptions {
  /** Image with Node and the command; undefined will do where nothing is started. */
  readonly image: string | undefined;
  /** Secret whose entries become environment variables, such as PGPASSWORD; undefined for none. */
  readonly secret: string | undefined;
}

/** How often a worker's pod is started again: its trials are repeated by others in any case. */
const RESTARTS = 6;

/** The manifest of an Indexed Job (batch/v1), one index a worker. */
export function kubernetesJob(
  { study, workers, cpus, gpus, command }: WorkerJobs,
  { image, secret }: KubernetesOptions & { readonly image: string },
): object {
  const name = engineName(study);
  const labels = { 'app.kubernetes.io/name': 'qlora', 'app.kubernetes.io/instance': name };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, labels },
    spec: {
      completionMode: 'Indexed',
      completions: workers,
      parallelism: workers,
      backoffLimit: RESTARTS * workers,
      template: {
        metadata: { labels },
        spec: {
          restartPolicy: 'OnFailure',
          containers: [
            {
              name: 'worker',
              image,
              command: ['/bin/sh', '-c', `exec ${command('$JOB_COMPLETION_INDEX')}`],
              ...(secret === undefined ? {} : { envFrom: [{ secretRef: { name: secret } }] }),
              resources: {
                requests: { cpu: String(cpus) },
                ...(gpus === 0 ? {} : { limits: { 'nvidia.com/gpu': String(gpus) } }),
              },
            },
          ],
        },
      },
    },
  };
}

interface Pods {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly status: { readonly phase: string };
  }[];
}

/** Workers as the pods of an Indexed Job, by kubectl and its current context. */
export class KubernetesLauncher implements Launcher {
  constructor(private readonly options: KubernetesOptions) {}

  async start(jobs: WorkerJobs): Promise<readonly string[]> {
    const { image, secret } = this.options;
    if (image === undefined)
      throw new UsageError('USAGE', '--image is missing', { remedy: 'kubernetes needs an image with Node and qlora' });
    const name = engineName(jobs.study);
    try {
      // Not apply, which leaves a job that has finished as it is.
      await runTool('kubectl', ['create', '-f', '-'], JSON.stringify(kubernetesJob(jobs, { image, secret })));
    } catch (cause) {
      if (!UsageError.isInstance(cause) || !cause.message.includes('already exists')) throw cause;
      throw new UsageError('USAGE', `the job ${name} is there already, running or finished`, {
        value: jobs.study,
        remedy: `qlora workers stop --launch kubernetes --study ${quoted(jobs.study)} removes it`,
        cause,
      });
    }
    return [name];
  }

  async list(study: string): Promise<readonly WorkerState[]> {
    const printed = await runTool('kubectl', ['get', 'pods', '-l', `job-name=${engineName(study)}`, '-o', 'json']);
    const { items } = JSON.parse(printed) as Pods;
    return items.map(({ metadata, status }) => ({ id: metadata.name, state: status.phase }));
  }

  async stop(study: string): Promise<readonly string[]> {
    const ids = (await this.list(study)).map(({ id }) => id);
    await runTool('kubectl', ['delete', 'job', engineName(study), '--ignore-not-found']);
    return ids;
  }
}
