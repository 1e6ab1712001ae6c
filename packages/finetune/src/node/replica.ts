// What the further threads run: the main thread's model, built from the same settings.
import { openDevice } from '@qlora-js/kernels';
import { serveReplica } from '@qlora-js/trainer';
import { mainThreadPort } from '@qlora-js/trainer/node';
import { replicaModel } from '../training/replica-model';
import { findBase } from './open-base';
import type { ReplicaSetup } from './replica-setup';

serveReplica(mainThreadPort(), async ({ settings, base: word, hub, backend, head }: ReplicaSetup) => {
  const device = await openDevice({ backend });
  const base = await findBase(word, { padding: settings.padding, hub });
  return replicaModel({ settings, base, head, device });
});
