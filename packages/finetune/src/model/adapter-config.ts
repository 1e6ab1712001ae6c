import { loraConfig, type LoraConfig } from '@qlora-js/lora';
import type { BaseModel } from '../base/base';
import type { LoraSettings } from './settings';

/** The adapter's config, as it is saved. */
export function adapterConfig(base: BaseModel, settings: LoraSettings, taskType: 'SEQ_CLS' | 'CAUSAL_LM'): LoraConfig {
  const { targetModules, ...rest } = settings;
  return loraConfig({
    ...rest,
    targetModules: targetModules ?? base.family.targetModules,
    bias: 'none',
    taskType,
    baseModelNameOrPath: base.id,
    revision: base.revision ?? null,
  });
}
