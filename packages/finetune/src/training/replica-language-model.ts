import { assignDropoutSites } from '@qlora-js/kernels';
import { causalLanguageModel, type TrainableModel } from '@qlora-js/trainer';
import { adapterConfig } from '../model/adapter-config';
import { buildLanguageModel } from '../model/build';
import { SILENT } from '../run/output';
import type { ReplicaModelOptions } from './replica-options';

/** A thread's copy of a language model. */
export async function replicaLanguageModel({
  settings,
  base,
  device,
}: Omit<ReplicaModelOptions, 'head'>): Promise<TrainableModel> {
  const { seed, quantization, lora } = settings;
  const model = await buildLanguageModel(base, { seed, quantization, device, output: SILENT });
  model.addAdapter('replica', adapterConfig(base, lora, 'CAUSAL_LM'), { seed });
  assignDropoutSites(model.base);
  return causalLanguageModel(model, { padTokenId: base.padTokenId });
}
