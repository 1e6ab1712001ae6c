import { assignDropoutSites } from '@qlora-js/kernels';
import { sequenceClassifier, type TrainableModel } from '@qlora-js/trainer';
import { buildClassifier } from '../model/build';
import { adapterConfig } from '../model/adapter-config';
import { SILENT } from '../run/output';
import type { ReplicaModelOptions } from './replica-options';

/** The run's model as `serveReplica` of @qlora-js/trainer needs it, in a thread of its own. */
export async function replicaModel({ settings, base, head, device }: ReplicaModelOptions): Promise<TrainableModel> {
  if (head.task === 'causal_lm') {
    const { replicaLanguageModel } = await import('./replica-language-model');
    return replicaLanguageModel({ settings, base, device });
  }
  const { seed, quantization, lora } = settings;
  const { task: problemType, numLabels } = head;
  const model = await buildClassifier(base, { numLabels, seed, quantization, device, output: SILENT });
  // One adapter serves every training: its values come with each step.
  model.addAdapter('replica', adapterConfig(base, lora, 'SEQ_CLS'), { seed });
  assignDropoutSites(model.base);
  return sequenceClassifier(model, { padTokenId: base.padTokenId, problemType });
}
