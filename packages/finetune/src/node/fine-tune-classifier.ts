import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { loadTextDataset, type TextDataset, type TextDatasetOptions } from '@qlora-js/data';
import type { Storage } from '@qlora-js/hpo';
import { formatBytes, openDevice, type BackendName, type Device } from '@qlora-js/kernels';
import type { TrainerCallback } from '@qlora-js/trainer';
import { folderCheckpoints } from '@qlora-js/trainer/node';
import {
  FINAL_ADAPTER,
  fineTuneClassifier as fineTuneInMemory,
  prepareClassifier,
  type FineTuneClassifierOptions,
  type FineTunedClassifier,
} from '../run/fine-tune-classifier';
import { SILENT, type Output } from '../run/output';
import { fineTuneSettings, type FineTuneOptions } from '../run/settings';
import type { SearchResult } from '../search/result';
import { searchParameters } from '../search/search';
import { runResults } from '../saving/run-results';
import {
  checkTrackers,
  folderRecords,
  recordAdapter,
  removeRecords,
  type FolderRecords,
  type TrackingSettings,
} from './folder-records';
import { downloadBars } from './download-bars';
import { findBase, type HubOptions } from './open-base';
import { findData } from './open-data';
import { openStorage, SHARED_HEARTBEAT, thisProcess, type OpenedStorage } from './open-storage';
import { prepareOutputFolder, writeAdapter } from './output-folder';
import { startThreads } from './threads';
import { savedFiles, writeRunReport, type ReportSettings } from './write-report';

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

/** Where a run keeps what it makes. */
export interface OutputSettings {
  /** Folder of the adapter, the checkpoints and the study. */
  readonly folder: string;
  /** Replace what an earlier run has left there. Default false. */
  readonly overwrite?: boolean;
  /** Go on with what an earlier run has left there: true for its newest checkpoint, else one's name. Default false. */
  readonly resume?: boolean | string;
  /**
   * Storage of the search, which several workers may share: sqlite:///FILE, postgresql://USER:PASSWORD@HOST/DATABASE, or
   * a journal's path. Default: the journal study.jsonl in the folder, for this run alone.
   */
  readonly storage?: string;
  /** Name of the study in it. Default `finetune`. */
  readonly study?: string;
  /** Folder of the checkpoints; workers of one search that share it go on with each other's trials. Default: in the folder. */
  readonly checkpoints?: string;
}

/** A fine-tuning by names: base, data and output are words on a command line or in a file. */
export interface FineTuneFolderOptions extends FineTuneOptions {
  /** Folder or hub id of the base; the embedded small base where it is left out. */
  readonly base?: string;
  /** A file, a folder, `-`, a hub id (`datasets/organisation/name`), or a data set that is loaded already. */
  readonly data: string | TextDataset;
  /** How the data are read. */
  readonly dataOptions?: DataSettings;
  /** Where what is made goes. */
  readonly output: OutputSettings;
  /** Where to compute. Default the best there is. */
  readonly backend?: BackendName | 'auto';
  /** Threads that share each batch where there is no GPU. Default 1. */
  readonly threads?: number;
  /** For bases and data sets on the hub. */
  readonly hub?: HubOptions;
  /** Trackers that show the run and its trials; JSON lines in the output folder are always written. */
  readonly tracking?: TrackingSettings;
  /** What report.html in the output folder says besides; false for none. */
  readonly report?: ReportSettings | false;
  /** Says what is done. Default nothing. */
  readonly log?: Output;
  /** Listens to every training. */
  readonly callbacks?: readonly TrainerCallback[];
  /** Stops the run in good order. */
  readonly signal?: AbortSignal;
  /** How people go on with the run, as messages say it: a command, say. */
  readonly resumeBy?: string;
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

/** Name of the search's journal in a run's folder. */
export const STUDY_FILE = 'study.jsonl';

/**
 * From names to an adapter in a folder. Base, data and folder are looked at before anything is computed; what is there
 * already is neither overwritten nor deleted unless `output` says so.
 *
 * @throws FinetuneError, DataError, HubError, TrainerError naming what is wrong and what to do
 */
export async function fineTuneClassifier(options: FineTuneFolderOptions): Promise<FineTunedClassifier> {
  const { device, run, records, log, closeStorage } = await openRun(options);
  const { folder } = options.output;
  const before = device.memory();
  const close = (): void => {
    const after = device.memory();
    log.line(
      `memory at the end: ${formatBytes(after.currentBytes)} in ${after.tensors} tensors (at the start: ${formatBytes(before.currentBytes)} in ${before.tensors})`,
    );
    if (after.currentBytes !== before.currentBytes)
      log.warn(`${after.currentBytes - before.currentBytes} bytes were not given back`);
    device.dispose();
  };
  try {
    const done = await fineTuneInMemory(run);
    await closeStorage();
    const names = Object.keys(done.files).sort();
    if (done.tracking !== undefined) {
      await recordAdapter(done.tracking, folder, names);
      await done.tracking.finish('finished');
    }
    await records.close();
    if (options.report !== false) {
      const saved = await savedFiles(folder, names, String(done.report.environment['base']));
      await writeRunReport(folder, done.results, { settings: options.report ?? {}, output: log, saved });
    }
    return {
      ...done,
      dispose: async () => {
        await done.dispose();
        close();
      },
    };
  } catch (error) {
    await records.close();
    await closeStorage().catch(() => undefined);
    device.dispose();
    throw error;
  }
}

/**
 * Searches for parameters and stops there; the study stays in the folder, and a later run goes on with it.
 * @throws as `fineTuneClassifier`
 */
export async function searchClassifier(options: FineTuneFolderOptions): Promise<SearchResult> {
  const { device, run, records, log, closeStorage } = await openRun(options);
  try {
    const context = await prepareClassifier(run);
    try {
      run.output?.section(`Search: ${context.settings.search?.trials ?? 0} trials`);
      const found = await searchParameters(context, run.study);
      await records.close();
      if (options.report !== false) {
        const results = runResults(context, { found });
        await writeRunReport(options.output.folder, results, { settings: options.report ?? {}, output: log });
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

interface OpenRun {
  readonly device: Device;
  readonly run: FineTuneClassifierOptions;
  readonly records: FolderRecords;
  readonly log: Output;
  readonly closeStorage: () => Promise<void>;
}

/** Everything that names stand for, the device last. */
async function openRun(options: FineTuneFolderOptions): Promise<OpenRun> {
  const { base: word, output: folderOptions, backend = 'auto', threads = 1, log = SILENT } = options;
  const hub = { onProgress: downloadBars(log), ...options.hub };
  const { folder, overwrite = false, resume = false } = folderOptions;
  const { tracking = {} } = options;
  const settings = fineTuneSettings(options);
  await checkTrackers(tracking);
  await prepareOutputFolder(folder, { overwrite, resume: resume !== false });
  const base = await findBase(word, { padding: settings.padding, hub });
  const data = await loadData(options.data, { seed: settings.seed, ...options.dataOptions, hub });
  const ownStudy = join(folder, STUDY_FILE);
  // An earlier run's study and records would be gone on with.
  if (overwrite) await removeRecords(folder);
  if (overwrite) await rm(ownStudy, { force: true });
  const { storage: shared, study: studyName, checkpoints = join(folder, 'checkpoints') } = folderOptions;
  let opened: OpenedStorage | undefined;
  const openStudies = async (): Promise<Storage> => {
    opened ??= await (shared === undefined
      ? openStorage(ownStudy)
      : openStorage(shared, { heartbeat: SHARED_HEARTBEAT }));
    return opened.storage;
  };
  // A storage that can't be opened is said before anything is computed.
  if (shared !== undefined && settings.search !== null) await openStudies();
  const device = await openDevice({ backend, log: (line) => log.warn(line) });
  log.line(device.report());
  const { onProgress: _progress, ...plainHub } = hub;
  const records = folderRecords(folder, tracking, { search: settings.search !== null, output: log });
  const run: FineTuneClassifierOptions = {
    ...options,
    base,
    data,
    device,
    output: log,
    checkpoints: (name) =>
      folderCheckpoints(name === FINAL_ADAPTER ? join(folder, 'checkpoints', name) : join(checkpoints, name)),
    startReplicas: (head) =>
      startThreads(threads, { settings, base: word, hub: plainHub, backend: device.backend, head }, log),
    startTracking: records.start,
    study: { openStorage: openStudies, studyName, worker: thisProcess() },
    resumeFromCheckpoint: resume,
    save: async (files) => {
      await writeAdapter(folder, files);
      log.line(`saved: ${folder}`);
    },
  };
  const closeStorage = async (): Promise<void> => opened?.close();
  return { device, run, records, log, closeStorage };
}
