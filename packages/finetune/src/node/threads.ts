import { availableParallelism } from 'node:os';
import type { Replicas } from '@qlora-js/trainer';
import { startReplicas } from '@qlora-js/trainer/node';
import type { Output } from '../run/output';
import type { ReplicaSetup } from './replica-setup';
import { threadModule } from './thread-module';

/** Copies of the base in `threads - 1` further threads; undefined where there are none, and on a GPU. */
export async function startThreads(
  threads: number,
  setup: ReplicaSetup,
  output: Output,
): Promise<Replicas | undefined> {
  if (threads === 1) return undefined;
  const { backend } = setup;
  if (backend !== 'wasm' && backend !== 'cpu') {
    output.line(`threads: 1, since ${backend} uses the whole device by itself`);
    return undefined;
  }
  const cores = availableParallelism();
  if (threads > cores) output.warn(`${threads} threads share ${cores} processor cores`);
  const replicas = await startReplicas({ ...threadModule('replica'), count: threads - 1, setup });
  output.line(`threads: ${threads}, each with a copy of the model and a share of every training batch`);
  return replicas;
}
