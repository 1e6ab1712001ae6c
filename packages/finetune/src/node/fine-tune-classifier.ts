import { loadTextDataset, type TextDataset, type TextDatasetOptions } from '@qlora-js/data';
import {
  fineTuneClassifier as fineTuneInMemory,
  prepareClassifier,
  type FineTunedClassifier,
} from '../run/fine-tune-classifier';
import { SILENT } from '../run/output';
import { loadingCode } from '../saving/model-card';
import { runResults } from '../saving/run-results';
import type { SearchResult } from '../search/result';
import { searchParameters } from '../search/search';
import type { HubOptions } from './open-base';
import { findData } from './open-data';
import { finishRun, openRun, type OpenedRun, type RunFolderOptions } from './open-run';
import { writeRunReport } from './write-report';

/** How a data set is named and read. */
export interface DataSettings extends Omit<TextDatasetOptions, 'testData' | 'validation'> {
  /** Rows to test with: a file, a folder or a hub id. Default: those that the set holds, else a share of the training rows. */
  readonly testData?: string;
  /** Rows to validate with: a file, a folder, or how many of the training rows. */
  readonly validation?: string | number;
  /** Configuration of a data set on the hub. */
  readonly dataConfig?: string;
  /** Branch, tag or commit of a data set on the hub, read as it lies there. Default: the hub's own Parquet files. */
  readonly dataRevision?: string;
}

/** A fine-tuning by names: base, data and output are words on a command line or in a file. */
export interface FineTuneFolderOptions extends RunFolderOptions {
  /** A file, a folder, `-`, a hub id (`datasets/organisation/name`), or a data set that is loaded already. */
  readonly data: string | TextDataset;
  /** How the data are read. */
  readonly dataOptions?: DataSettings;
}

/** Reads a data set by its name. */
export async function loadData(
  data: string | TextDataset,
  { seed, hub = {}, ...options }: DataSettings & { readonly hub?: HubOptions } = {},
): Promise<TextDataset> {
  if (typeof data !== 'string') return data;
  const { testData, validation, dataConfig, dataRevision, ...reading } = options;
  const find = (word: string): ReturnType<typeof findData> =>
    findData(word, { hub: { ...hub, revision: dataRevision }, config: dataConfig });
  return loadTextDataset(await find(data), {
    ...reading,
    seed,
    ...(testData === undefined ? {} : { testData: await find(testData) }),
    ...(validation === undefined
      ? {}
      : { validation: typeof validation === 'string' ? await find(validation) : validation }),
  });
}

/**
 * From names to an adapter in a folder. Base, data and folder are looked at before anything is computed; what is there
 * already is neither overwritten nor deleted unless `output` says so.
 *
 * @throws FinetuneError, DataError, HubError, TrainerError naming what is wrong and what to do
 */
export async function fineTuneClassifier(options: FineTuneFolderOptions): Promise<FineTunedClassifier> {
  const opened = await openClassifierRun(options);
  return finishRun(options, opened, { fineTune: () => fineTuneInMemory(opened.run), loadingCode });
}

/**
 * Searches for parameters and stops there; the study stays in the folder, and a later run goes on with it.
 * @throws as `fineTuneClassifier`
 */
export async function searchClassifier(options: FineTuneFolderOptions): Promise<SearchResult> {
  const { device, run, records, closeStorage } = await openClassifierRun(options);
  try {
    const context = await prepareClassifier(run);
    try {
      run.output.section(`Search: ${context.settings.search?.trials ?? 0} trials`);
      const found = await searchParameters(context, run.study);
      await records.close();
      if (options.report !== false) {
        const results = runResults(context, { found });
        const { log: output = SILENT } = options;
        await writeRunReport(options.output.folder, results, { settings: options.report ?? {}, output });
      }
      return found;
    } finally {
      await records.close();
      await context.replicas?.dispose();
      context.model.dispose();
    }
  } finally {
    device.dispose();
    // What could not be sent has been said already, by the call that needed it.
    await closeStorage().catch(() => undefined);
  }
}

function openClassifierRun(options: FineTuneFolderOptions): Promise<OpenedRun<TextDataset>> {
  return openRun(options, (hub, seed) => loadData(options.data, { seed, ...options.dataOptions, hub }));
}
