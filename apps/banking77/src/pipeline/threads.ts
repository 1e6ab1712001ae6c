import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Device } from '@qlora-js/kernels';
import type { Replicas } from '@qlora-js/trainer';
import { startReplicas } from '@qlora-js/trainer/node';
import type { RunOptions } from '../cli/options';
import type { Output } from '../terminal/output';

/** What a thread builds its copy of the model from. */
export interface ReplicaSetup {
  readonly options: RunOptions;
  readonly backend: Device['backend'];
  readonly numLabels: number;
}

export interface ThreadOptions {
  readonly device: Device;
  readonly output: Output;
  readonly numLabels: number;
}

/** Copies of the base in `options.threads - 1` further threads; undefined where there are none, and on a GPU. */
export async function startThreads(
  options: RunOptions,
  { device, output, numLabels }: ThreadOptions,
): Promise<Replicas | undefined> {
  const { threads } = options;
  const { backend } = device;
  if (threads === 1) return undefined;
  if (backend !== 'wasm' && backend !== 'cpu') {
    output.line(`threads: 1, since ${backend} uses the whole device by itself`);
    return undefined;
  }
  const cores = availableParallelism();
  if (threads > cores) output.warn(`${threads} threads share ${cores} processor cores`);
  const setup: ReplicaSetup = { options, backend, numLabels };
  const replicas = await startReplicas({ ...replicaModule(), count: threads - 1, setup });
  output.line(`threads: ${threads}, each with a copy of the model and a share of every training batch`);
  return replicas;
}

/** The module the threads run: built beside this one, or the source, which Node needs tsx for. */
function replicaModule(): { module: URL; execArgv?: string[] } {
  if (!import.meta.url.endsWith('.ts')) return { module: new URL('./replica.js', import.meta.url) };
  const typescript = fileURLToPath(new URL('../../../../tools/typescript.mjs', import.meta.url));
  return {
    module: new URL('../replica.ts', import.meta.url),
    execArgv: ['--conditions=@qlora-js/source', '--import', typescript],
  };
}
