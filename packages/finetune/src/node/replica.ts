// What the further threads run: the main thread's model, built from the same settings.
import { assignDropoutSites, openDevice } from '@qlora-js/kernels';
import { sequenceClassifier, serveReplica } from '@qlora-js/trainer';
import { mainThreadPort } from '@qlora-js/trainer/node';
import { buildClassifier } from '../model/build';
import { adapterConfig } from '../model/settings';
import { SILENT } from '../run/output';
import { findBase } from './open-base';
import type { ReplicaSetup } from './replica-setup';

serveReplica(mainThreadPort(), async ({ settings, base: word, hub, backend, numLabels }: ReplicaSetup) => {
  const { padding, seed, quantization, lora } = settings;
  const device = await openDevice({ backend });
  const base = await findBase(word, { padding, hub });
  const model = await buildClassifier(base, { numLabels, seed, quantization, device, output: SILENT });
  // One adapter serves every training: its values come with each step.
  model.addAdapter('replica', adapterConfig(base, lora, 'SEQ_CLS'), { seed });
  assignDropoutSites(model.base);
  return sequenceClassifier(model, { padTokenId: base.padTokenId });
});
