import type { ModelFiles } from '@qlora-js/hub';
import type { Device } from '@qlora-js/kernels';
import { loadAdapter, readAdapterConfig } from '@qlora-js/lora';
import { openBase } from '../base/base';
import { FinetuneError } from '../errors';
import { buildLanguageModel } from '../model/build';
import type { QuantizationSettings } from '../model/settings';
import { SILENT, type Output } from '../run/output';
import { DEFAULT_SETTINGS } from '../run/settings';
import { FINAL_ADAPTER } from '../run/stages';
import { readSavedLanguageModel } from '../saving/language-model-folder';
import { TextGenerator } from './text-generator';

/** How a language model is opened. */
export interface OpenGeneratorOptions {
  /** The base's files, and what an adapter calls it. */
  readonly base: { readonly id: string; readonly files: ModelFiles; readonly revision?: string };
  /** A saved adapter's files; the base alone where they are left out. */
  readonly adapter?: ModelFiles;
  /** How the base's weights are kept; null for float32. Default: as the adapter was trained on them, else NF4. */
  readonly quantization?: QuantizationSettings | null;
  /** Where it computes. */
  readonly device: Device;
  /** Where progress and warnings go. Default nowhere. */
  readonly output?: Output;
}

/**
 * A base that writes, with a saved adapter or alone.
 * @throws FinetuneError `BAD_ADAPTER`; LoraError where an adapter does not fit the base
 */
export async function openTextGenerator(options: OpenGeneratorOptions): Promise<TextGenerator> {
  const { base: named, adapter, device, output = SILENT } = options;
  let saved: Awaited<ReturnType<typeof readSavedLanguageModel>>;
  if (adapter !== undefined) {
    const { taskType } = await readAdapterConfig(adapter);
    saved = await readSavedLanguageModel(adapter);
    if (taskType !== null && taskType !== undefined && taskType !== 'CAUSAL_LM')
      throw new FinetuneError('BAD_ADAPTER', `${adapter.id} is an adapter for ${taskType}, not for a language model`, {
        value: taskType,
      });
  }
  const quantization =
    options.quantization === undefined ? (saved ?? DEFAULT_SETTINGS).quantization : options.quantization;
  const { id, files, revision } = named;
  const base = await openBase(files, { id, revision, padding: { maxLength: 1, paddingSide: 'right' } });
  const model = await buildLanguageModel(base, { seed: DEFAULT_SETTINGS.seed, quantization, device, output });
  try {
    if (adapter !== undefined) await loadAdapter(model, adapter, FINAL_ADAPTER);
  } catch (error) {
    model.dispose();
    throw error;
  }
  return new TextGenerator({ model, base });
}
