// What the further threads of --threads run: the main thread's model, built from the same options.
import { assignDropoutSites, openDevice } from '@qlora-js/kernels';
import { PeftModel, prepareModelForKbitTraining } from '@qlora-js/lora';
import { sequenceClassifier, serveReplica } from '@qlora-js/trainer';
import { mainThreadPort } from '@qlora-js/trainer/node';
import { adapterConfig, buildClassifier, openBase } from './pipeline/base';
import type { ReplicaSetup } from './pipeline/threads';
import { SILENT } from './terminal/output';

serveReplica(mainThreadPort(), async ({ options, backend, numLabels }: ReplicaSetup) => {
  const device = await openDevice({ backend });
  const base = await openBase(options.base, options.maxLength, options.paddingSide);
  const classifier = await buildClassifier(base, numLabels, options, { device, output: SILENT });
  prepareModelForKbitTraining(classifier, { useGradientCheckpointing: options.gradientCheckpointing });
  const model = new PeftModel(classifier);
  // One adapter serves every training: its values come with each step.
  model.addAdapter('replica', adapterConfig(base, options), { seed: options.seed });
  assignDropoutSites(model.base);
  return sequenceClassifier(model, { padTokenId: base.padTokenId });
});
