import { folderFiles, resolveModel } from '@qlora-js/hub/node';
import { openDevice, type BackendName, type Device } from '@qlora-js/kernels';
import { readAdapterConfig } from '@qlora-js/lora';
import { embeddedBase, EMBEDDED_BASE } from '../base/base';
import { FinetuneError } from '../errors';
import { mergeClassifier, type MergeClassifierOptions, type MergedClassifier } from '../export/merge-classifier';
import { openTextClassifier, type OpenClassifierOptions, type TextClassifier } from '../predict/text-classifier';
import { SILENT, type Output } from '../run/output';
import { downloadBars } from './download-bars';
import type { BatchThread } from '../predict/batch-thread';
import type { HubOptions } from './open-base';
import { startPredictThread } from './predict-threads';

/** How saved adapters are loaded by their folders. */
export interface LoadClassifierOptions {
  /** Folder or hub id of the base; default the one that the adapter's config names. */
  readonly base?: string;
  /** Where to compute. Default the best there is. */
  readonly backend?: BackendName | 'auto';
  /** Threads that share the batches where there is no GPU. Default 1. */
  readonly threads?: number;
  /** For a base on the hub. */
  readonly hub?: HubOptions;
  /** Where progress and warnings go. Default nowhere. */
  readonly output?: Output;
}

/**
 * A classifier from folders that fine-tunings have saved (a checkpoint of one is such a folder too): one, or several by name on one
 * resident base.
 *
 * @throws FinetuneError `BAD_ADAPTER`; HubError for a base that can't be found
 */
export async function loadTextClassifier(
  adapters: string | Readonly<Record<string, string>>,
  options: LoadClassifierOptions = {},
): Promise<TextClassifier> {
  const { device, ...found } = await findAdapters(adapters, options);
  const threads = predictThreads(adapters, device, options);
  try {
    const classifier = await openTextClassifier({ ...found, device, threads });
    const free = classifier.dispose.bind(classifier);
    classifier.dispose = () => {
      free();
      device.dispose();
    };
    return classifier;
  } catch (error) {
    for (const thread of threads) void thread.end();
    device.dispose();
    throw error;
  }
}

/** Threads beside this one; none on a GPU, which one thread keeps busy. */
function predictThreads(
  adapters: string | Readonly<Record<string, string>>,
  { backend }: Device,
  { threads = 1, base, hub = {}, output = SILENT }: LoadClassifierOptions,
): BatchThread[] {
  if (threads === 1) return [];
  if (backend !== 'wasm' && backend !== 'cpu') {
    output.line(`threads: 1, since ${backend} uses the whole device by itself`);
    return [];
  }
  const { onProgress: _, ...plainHub } = hub;
  const folders = typeof adapters === 'string' ? { default: adapters } : adapters;
  return Array.from({ length: threads - 1 }, () =>
    startPredictThread({ adapters: folders, base, backend, hub: plainHub }),
  );
}

/** A saved adapter added into its base's weights, by its folder. @throws as `loadTextClassifier`, and as `mergeClassifier` */
export async function mergeAdapterFolder(
  folder: string,
  {
    dtype,
    from,
    compareOn,
    ...options
  }: LoadClassifierOptions & Omit<MergeClassifierOptions, 'adapter' | 'base' | 'device'>,
): Promise<MergedClassifier> {
  const { adapters, ...found } = await findAdapters(folder, options);
  try {
    return await mergeClassifier({ ...found, adapter: adapters['default']!, dtype, from, compareOn });
  } finally {
    found.device.dispose();
  }
}

/** The adapters' files, the base that they are of, and where it computes. */
async function findAdapters(
  adapters: string | Readonly<Record<string, string>>,
  options: LoadClassifierOptions,
): Promise<OpenClassifierOptions> {
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
  return { adapters: files, base: { id, files: base, revision }, device, output };
}
