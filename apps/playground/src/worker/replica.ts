import { fineTuneSettings, replicaModel, type FineTuneOptions, type Head } from '@qlora-js/finetune';
import { Replicas, webWorkerLink } from '@qlora-js/trainer';
import { openPageBase } from './open-base';
import { openPageDevice } from './open-device';
import { policedWorker } from './policed-worker';
import type { BaseSource } from './protocol';
import { ROLES } from './scope';

/** What a replica is told. */
export interface ReplicaSetup {
  readonly base: BaseSource;
  readonly options: FineTuneOptions;
  readonly head: Head;
}

/** In a replica: the run's model. */
export async function buildReplica({ base: source, options, head }: ReplicaSetup): ReturnType<typeof replicaModel> {
  const { device } = await openPageDevice('wasm');
  const settings = fineTuneSettings(options);
  const base = await openPageBase(source, settings.padding);
  return replicaModel({ settings, base, head, device });
}

/** In a run: workers of its own that share each batch; undefined with one thread. */
export async function startReplicas(
  threads: number,
  { module, setup }: { readonly module: string; readonly setup: ReplicaSetup },
): Promise<Replicas | undefined> {
  if (threads <= 1) return undefined;
  const links = Array.from({ length: threads - 1 }, () => webWorkerLink(policedWorker(module, ROLES.replica)));
  return Replicas.connect({ links, setup });
}
