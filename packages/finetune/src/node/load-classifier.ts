import { folderFiles, resolveModel } from '@qlora-js/hub/node';
import { openDevice, type BackendName } from '@qlora-js/kernels';
import { readAdapterConfig } from '@qlora-js/lora';
import { embeddedBase, EMBEDDED_BASE } from '../base/base';
import { FinetuneError } from '../errors';
import { openTextClassifier, type TextClassifier } from '../predict/text-classifier';
import { SILENT, type Output } from '../run/output';
import { downloadBars } from './download-bars';
import type { HubOptions } from './open-base';

/** How saved adapters are loaded by their folders. */
export interface LoadClassifierOptions {
  /** Folder or hub id of the base; default the one that the adapter's config names. */
  readonly base?: string;
  /** Where to compute. Default the best there is. */
  readonly backend?: BackendName | 'auto';
  /** For a base on the hub. */
  readonly hub?: HubOptions;
  /** Where progress and warnings go. Default nowhere. */
  readonly output?: Output;
}

/**
 * A classifier from folders that fine-tunings have saved: one, or several by name on one base.
 * @throws FinetuneError `BAD_ADAPTER`; HubError for a base that can't be found
 */
export async function loadTextClassifier(
  adapters: string | Readonly<Record<string, string>>,
  options: LoadClassifierOptions = {},
): Promise<TextClassifier> {
  const { backend = 'auto', output = SILENT } = options;
  const hub = { onProgress: downloadBars(output), ...options.hub };
  const folders = typeof adapters === 'string' ? { default: adapters } : adapters;
  const files = Object.fromEntries(
    await Promise.all(
      Object.entries(folders).map(async ([name, folder]) => [name, await folderFiles(folder)] as const),
    ),
  );
  const configs = await Promise.all(Object.values(files).map((folder) => readAdapterConfig(folder)));
  const named = new Set(
    configs.map(({ baseModelNameOrPath, revision }) => JSON.stringify([baseModelNameOrPath, revision])),
  );
  if (options.base === undefined && named.size > 1) {
    throw new FinetuneError('BAD_ADAPTER', `the adapters are of different bases: ${[...named].join(', ')}`, {
      remedy: 'name the base that all of them fit',
    });
  }
  const id = options.base ?? configs[0]?.baseModelNameOrPath ?? EMBEDDED_BASE;
  const revision = hub.revision ?? configs[0]?.revision ?? undefined;
  const base = id === EMBEDDED_BASE ? await embeddedBase() : await resolveModel(id, { ...hub, revision });
  const device = await openDevice({ backend, log: (line) => output.warn(line) });
  try {
    const classifier = await openTextClassifier({
      adapters: files,
      base: { id, files: base, revision },
      device,
      output,
    });
    const free = classifier.dispose.bind(classifier);
    classifier.dispose = () => {
      free();
      device.dispose();
    };
    return classifier;
  } catch (error) {
    device.dispose();
    throw error;
  }
}
