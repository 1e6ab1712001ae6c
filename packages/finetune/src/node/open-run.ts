import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Storage } from '@qlora-js/hpo';
import { formatBytes, openDevice, type BackendName, type Device } from '@qlora-js/kernels';
import type { RunResults } from '@qlora-js/report';
import type { RunTracking } from '@qlora-js/tracking';
import type { TrainerCallback } from '@qlora-js/trainer';
import { folderCheckpoints } from '@qlora-js/trainer/node';
import type { PrepareModelOptions } from '../run/fine-tune-classifier';
import { SILENT, type Output } from '../run/output';
import { fineTuneSettings, type FineTuneOptions } from '../run/settings';
import { FINAL_ADAPTER, type FinalTrainingOptions } from '../run/stages';
import type { AdapterFolder } from '../saving/describing-files';
import type { RunReport } from '../saving/report';
import { downloadBars } from './download-bars';
import {
  checkTrackers,
  folderRecords,
  recordAdapter,
  removeRecords,
  type FolderRecords,
  type TrackingSettings,
} from './folder-records';
import { findBase, type HubOptions } from './open-base';
import { openStorage, SHARED_HEARTBEAT, thisProcess, type OpenedStorage } from './open-storage';
import { prepareOutputFolder, writeAdapter } from './output-folder';
import { startThreads } from './threads';
import { CHECKPOINTS_FOLDER, removeTrialCheckpoints, trialCheckpointsFolder } from './trial-checkpoints';
import { savedFiles, writeRunReport, type LoadingCode, type ReportSettings } from './write-report';

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
  /**
   * Folder of the checkpoints; workers of one search that share it go on with each other's trials. Each study has a folder
   * of its own name in it. Default: in the folder.
   */
  readonly checkpoints?: string;
}

/** A run by names, whatever is learnt: base and output are words on a command line or in a file. */
export interface RunFolderOptions extends FineTuneOptions {
  /** Folder or hub id of the base; the embedded small base where it is left out. */
  readonly base?: string;
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

/** Name of the search's journal in a run's folder. */
export const STUDY_FILE = 'study.jsonl';

/** What names stand for, but for the data. */
export interface OpenRun extends Omit<PrepareModelOptions, 'output'>, FinalTrainingOptions {
  /** Where it says what it does. */
  readonly output: Output;
  /** Writes the adapter. */
  readonly save: (files: AdapterFolder) => Promise<void>;
}

/** A run whose names are looked up. */
export interface OpenedRun<Data> {
  /** Where it computes. */
  readonly device: Device;
  /** What the stages take. */
  readonly run: OpenRun & { readonly data: Data };
  /** Its records. */
  readonly records: FolderRecords;
  /** Closes the search's storage. */
  readonly closeStorage: () => Promise<void>;
}

/** Everything that names stand for, the device last. */
export async function openRun<Data>(
  options: RunFolderOptions,
  loadData: (hub: HubOptions, seed: number) => Promise<Data>,
): Promise<OpenedRun<Data>> {
  const { base: word, output: folderOptions, backend = 'auto', threads = 1, log = SILENT } = options;
  const hub = { onProgress: downloadBars(log), ...options.hub };
  const { folder, overwrite = false, resume = false } = folderOptions;
  const { tracking = {} } = options;
  const settings = fineTuneSettings(options);
  await checkTrackers(tracking);
  await prepareOutputFolder(folder, { overwrite, resume: resume !== false });
  const base = await findBase(word, { padding: settings.padding, hub });
  const data = await loadData(hub, settings.seed);
  const ownStudy = join(folder, STUDY_FILE);
  // An earlier run's study, records and trials would be gone on with.
  if (overwrite) await removeRecords(folder);
  if (overwrite) await rm(ownStudy, { force: true });
  if (overwrite) await removeTrialCheckpoints(folder);
  const { storage: shared, study: studyName } = folderOptions;
  const trialCheckpoints = trialCheckpointsFolder(folder, folderOptions);
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
  const run: OpenRun & { readonly data: Data } = {
    ...options,
    base,
    data,
    device,
    output: log,
    checkpoints: (name) =>
      folderCheckpoints(join(name === FINAL_ADAPTER ? join(folder, CHECKPOINTS_FOLDER) : trialCheckpoints, name)),
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
  return { device, run, records, closeStorage };
}

/** What a run in memory comes to, as far as its folder has to know. */
interface Finished {
  readonly files: AdapterFolder;
  readonly report: RunReport;
  readonly results: RunResults;
  readonly tracking: RunTracking | undefined;
  readonly dispose: () => Promise<void>;
}

/** Trains, and writes down what came of it; the device is given back with what was trained. */
export async function finishRun<Done extends Finished>(
  options: RunFolderOptions,
  { device, records, closeStorage }: Omit<OpenedRun<unknown>, 'run'>,
  { fineTune, loadingCode }: { readonly fineTune: () => Promise<Done>; readonly loadingCode: LoadingCode },
): Promise<Done> {
  const { folder } = options.output;
  const { log = SILENT } = options;
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
    const done = await fineTune();
    await closeStorage();
    const names = Object.keys(done.files).sort();
    if (done.tracking !== undefined) {
      await recordAdapter(done.tracking, folder, names);
      await done.tracking.finish('finished');
    }
    await records.close();
    if (options.report !== false) {
      const load = loadingCode(folder, String(done.report.environment['base']));
      const saved = await savedFiles(folder, names, load);
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
