import { folderFiles, resolveModel } from '@qlora-js/hub/node';
import { openDevice, type BackendName } from '@qlora-js/kernels';
import { readAdapterConfig } from '@qlora-js/lora';
import { embeddedBase, EMBEDDED_BASE } from '../base/base';
import { FinetuneError } from '../errors';
import { openTextGenerator } from '../generate/open-generator';
import type { TextGenerator } from '../generate/text-generator';
import type { QuantizationSettings } from '../model/settings';
import { SILENT, type Output } from '../run/output';
import { downloadBars } from './download-bars';
import type { HubOptions } from './open-base';

/** How a language model is loaded by names. */
export interface LoadGeneratorOptions {
  /** Folder of an adapter; the base alone where it is left out. */
  readonly adapter?: string;
  /** Folder, file or hub id of the base; default the one that the adapter's config names. */
  readonly base?: string;
  /** How the base's weights are kept; null for float32. Default: as the adapter was trained on them, else NF4. */
  readonly quantization?: QuantizationSettings | null;
  /** Where to compute. Default the best there is. */
  readonly backend?: BackendName | 'auto';
  /** For a base on the hub. */
  readonly hub?: HubOptions;
  /** Where progress and warnings go. Default nowhere. */
  readonly output?: Output;
}

/**
 * A language model from an adapter's folder, or a base alone; disposing of it gives its device back.
 * @throws FinetuneError `BAD_ADAPTER`, `BAD_ARGUMENT` where neither is named; HubError for a base that can't be found
 */
export async function loadTextGenerator(options: LoadGeneratorOptions): Promise<TextGenerator> {
  const { backend = 'auto', output = SILENT, quantization } = options;
  const adapter = options.adapter === undefined ? undefined : await folderFiles(options.adapter);
  const config = adapter === undefined ? undefined : await readAdapterConfig(adapter);
  const id = options.base ?? config?.baseModelNameOrPath;
  if (id === undefined || id === null) {
    throw new FinetuneError('BAD_ARGUMENT', 'there is neither a base nor an adapter that names one', {
      remedy: 'name a base',
    });
  }
  const hub = { onProgress: downloadBars(output), ...options.hub };
  const revision = hub.revision ?? config?.revision ?? undefined;
  const files = id === EMBEDDED_BASE ? await embeddedBase() : await resolveModel(id, { ...hub, revision });
  const device = await openDevice({ backend, log: (line) => output.warn(line) });
  try {
    const generator = await openTextGenerator({
      ...{ base: { id, files, revision }, adapter, quantization, device, output },
    });
    const free = generator.dispose.bind(generator);
    generator.dispose = () => {
      free();
      device.dispose();
    };
    return generator;
  } catch (error) {
    device.dispose();
    throw error;
  }
}
