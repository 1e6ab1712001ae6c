import { bufferSource, openSafetensors, type ReadableFiles, serializeSafetensors } from '@qlora-js/hub';
import { loraConfigFromJson, loraConfigToJson } from '../config/json';
import type { LoraConfig } from '../config/lora-config';
import { LoraError } from '../errors';
import type { PeftModel } from '../model/peft-model';
import { adapterStateDict, loadAdapterStateDict } from './adapter-state';

export const ADAPTER_CONFIG = 'adapter_config.json';
export const ADAPTER_WEIGHTS = 'adapter_model.safetensors';

/** Files by name, as they lie in an adapter's folder. */
export type AdapterFiles = Record<string, Uint8Array | string>;

/** The files PEFT's save_pretrained writes for one adapter: config, weights and a model card. */
export async function adapterFiles(model: PeftModel, adapterName = 'default'): Promise<AdapterFiles> {
  const config = model.config(adapterName);
  return {
    [ADAPTER_CONFIG]: loraConfigToJson(config),
    [ADAPTER_WEIGHTS]: serializeSafetensors(await adapterStateDict(model, adapterName), { format: 'pt' }),
    'README.md': card(config),
  };
}

/** The config of a saved adapter, without its weights: what a base has to be built for. */
export async function readAdapterConfig(source: ReadableFiles): Promise<LoraConfig> {
  if (!(await source.has(ADAPTER_CONFIG))) {
    throw new LoraError('BAD_ADAPTER', `${source.id} has no ${ADAPTER_CONFIG}: it is not an adapter's folder`);
  }
  const text = await source.text(ADAPTER_CONFIG);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new LoraError('BAD_ADAPTER', `${source.id}/${ADAPTER_CONFIG} is not JSON: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return loraConfigFromJson(json, `${source.id}/${ADAPTER_CONFIG}`);
}

/** Adds a saved adapter to a model under `adapterName`, or loads its weights where the model has that adapter already. */
export async function loadAdapter(model: PeftModel, source: ReadableFiles, adapterName = 'default'): Promise<void> {
  const config = await readAdapterConfig(source);
  if (!(await source.has(ADAPTER_WEIGHTS))) {
    throw new LoraError('BAD_ADAPTER', `${source.id} has no ${ADAPTER_WEIGHTS}; save the adapter as safetensors`);
  }
  const bytes = await source.open(ADAPTER_WEIGHTS);
  const file = await openSafetensors(bufferSource(await bytes.read(0, bytes.size), `${source.id}/${ADAPTER_WEIGHTS}`));
  const stored = await Promise.all([...file.tensors.keys()].map((name) => file.read(name)));
  if (model.adapterNames.includes(adapterName)) {
    loadAdapterStateDict(model, stored, adapterName);
    return;
  }
  const active = model.activeAdapters;
  model.addAdapter(adapterName, config);
  try {
    loadAdapterStateDict(model, stored, adapterName);
  } catch (error) {
    model.deleteAdapter(adapterName);
    model.setAdapter(active);
    throw error;
  }
}

function card(config: LoraConfig): string {
  const base = config.baseModelNameOrPath;
  const front = [
    ...(base === null ? [] : [`base_model: ${JSON.stringify(base)}`]),
    'library_name: peft',
    'tags:',
    '- lora',
  ];
  return `---\n${front.join('\n')}\n---\n\n# LoRA adapter\n\nr ${config.r}, alpha ${config.loraAlpha}, dropout ${config.loraDropout}, on ${String(config.targetModules)}. Trained with qlora.js; loads there and in PEFT.\n`;
}
