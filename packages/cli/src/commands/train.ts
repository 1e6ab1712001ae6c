import { writeFileAtomic } from '@qlora-js/hub/node';
import { EMBEDDED_BASE, type Output, type RunReport } from '@qlora-js/finetune';
import {
  fineTuneClassifier,
  fineTuneLanguageModel,
  type FineTuneFolderOptions,
  type FineTuneLanguageModelFolderOptions,
  type HubOptions,
  type RunFolderOptions,
} from '@qlora-js/finetune/node';
import type { EarlierFigures } from '@qlora-js/report';
import { stopOnSignals } from '@qlora-js/trainer/node';
import type { Task, TextDataset } from '@qlora-js/data';
import { HEAD_TASKS, type TrainValues } from '../options/train-options';
import { UsageError } from '../errors';
import { flagOf } from '../options/spec';
import { compareFigures } from './comparison';

/** Bases on the hub that do better than the one that comes along, the smallest first. */
const BETTER_BASES = ['gpt2', 'gpt2-medium', 'microsoft/DialoGPT-medium'];

/** What a training command is given besides its options. */
export interface TrainOptions {
  /** The command line that was given, for the report. */
  readonly command?: string;
  /** Where it says what it does. */
  readonly output: Output;
  /** Finds data by words of its own, before the usual ways. */
  readonly findData?: (values: TrainValues) => Promise<string | TextDataset | undefined>;
}

/** Options of the hub out of a command's. */
export function hubOptions({
  revision,
  token,
  cacheDir,
  offline,
}: Pick<TrainValues, 'revision' | 'token' | 'cacheDir' | 'offline'>): HubOptions {
  return {
    ...(revision === undefined ? {} : { revision }),
    ...(token === undefined ? {} : { token }),
    ...(cacheDir === undefined ? {} : { cacheDir }),
    // Left out, the environment decides.
    ...(offline ? { offline } : {}),
  };
}

/** What a head is to learn, as the data and the model call it; undefined where the labels are to tell. */
function headTask({ task }: Pick<TrainValues, 'task'>): Task | undefined {
  return task === undefined || task === 'causal-lm' ? undefined : HEAD_TASKS[task];
}

/** The same for data sets, whose revision is an option of its own. */
export function dataHubOptions({
  dataRevision,
  ...values
}: Parameters<typeof hubOptions>[0] & Pick<TrainValues, 'dataRevision'>): HubOptions {
  return hubOptions({ ...values, revision: dataRevision });
}

/** A training's options as `fineTuneClassifier` takes them. */
export function fineTuneOptions(
  values: TrainValues,
  { data, command }: { readonly data: string | TextDataset; readonly command?: string },
): FineTuneFolderOptions {
  const { textColumn, textPairColumn, labelColumn, labelSeparator, labelNames, stratify } = values;
  return {
    ...runOptions(values, { command }),
    data,
    dataOptions: {
      ...readingOptions(values),
      ...{ textColumn, textPairColumn, labelColumn, labelSeparator, labelNames, stratify, task: headTask(values) },
    },
  };
}

/** The same for `fineTuneLanguageModel`. */
function languageModelOptions(
  values: TrainValues,
  { data, command }: { readonly data: string; readonly command?: string },
): FineTuneLanguageModelFolderOptions {
  const { textColumn, promptColumn, completionColumn, packing } = values;
  return {
    ...runOptions(values, { command }),
    ...{ data, packing },
    dataOptions: { ...readingOptions(values), ...{ textColumn, promptColumn, completionColumn } },
  };
}

function readingOptions(values: TrainValues): NonNullable<FineTuneFolderOptions['dataOptions']> {
  const { format, delimiter, columns, onBadRow, dataConfig, dataRevision, testData, testShare, testSize } = values;
  const validation = values.validation ?? testSize;
  return { format, delimiter, columns, onBadRow, dataConfig, dataRevision, testData, testShare, validation };
}

/** What a run is told whatever it learns. */
function runOptions(values: TrainValues, { command }: { readonly command?: string }): RunFolderOptions {
  return {
    base: values.base,
    backend: values.backend,
    threads: values.threads,
    seed: values.seed,
    padding: { maxLength: values.maxLength, padding: values.padding, paddingSide: values.paddingSide },
    quantization:
      values.quantType === 'none'
        ? null
        : { quantType: values.quantType, blocksize: values.blocksize, doubleQuant: values.doubleQuant },
    lora: {
      r: values.loraR,
      loraAlpha: values.loraAlpha,
      loraDropout: values.loraDropout,
      targetModules: values.targetModules,
      useRslora: values.useRslora,
      useDora: values.useDora,
    },
    search:
      values.trials === 0
        ? null
        : {
            trials: values.trials,
            space: values.searchSpace,
            epochs: values.searchEpochs,
            pruner: values.searchPruner,
          },
    training: { ...pickTraining(values), saveSteps: values.saveSteps ?? values.evalSteps },
    output: {
      folder: values.outputDir,
      overwrite: values.overwrite,
      resume: values.resume,
      study: values.study,
      storage: values.storage,
      checkpoints: values.checkpointDir,
    },
    hub: hubOptions(values),
    tracking: {
      reportTo: values.reportTo,
      project: values.project,
      entity: values.entity,
      group: values.runGroup,
      tags: values.tags,
    },
    report: values.report && { command, earlier: earlierFigures(values) },
  };
}

/** The figures to compare with, by their names in a run's summary; undefined where none was given. */
function earlierFigures(values: TrainValues): EarlierFigures | undefined {
  const figures = {
    test_accuracy: values.previousAccuracy ?? null,
    test_f1: values.previousF1 ?? null,
    tokens_per_sec_est: values.previousTokensPerSec ?? null,
    gpu_max_mem_allocated_GiB: values.previousMemoryGib ?? null,
  };
  if (Object.values(figures).every((figure) => figure === null)) return undefined;
  return { name: 'previous', figures };
}

function pickTraining(values: TrainValues): NonNullable<FineTuneFolderOptions['training']> {
  const {
    learningRate, numTrainEpochs, maxSteps, perDeviceTrainBatchSize, perDeviceEvalBatchSize, gradientAccumulationSteps,
    gradientCheckpointing, activationDtype, weightDecay, warmupSteps, fp16, maxGradNorm, optim, lrSchedulerType, evalSteps,
    loggingSteps, saveTotalLimit, groupByLength,
  } = values; // prettier-ignore
  return {
    learningRate, numTrainEpochs, maxSteps, perDeviceTrainBatchSize, perDeviceEvalBatchSize, gradientAccumulationSteps,
    gradientCheckpointing, activationDtype, weightDecay, warmupSteps, fp16, maxGradNorm, optim, lrSchedulerType, evalSteps,
    loggingSteps, saveTotalLimit, groupByLength,
  }; // prettier-ignore
}

/**
 * Trains, tests and saves an adapter; undefined where a signal has stopped it.
 * @throws UsageError for options that don't go together, before anything is loaded
 */
export async function train(
  values: TrainValues,
  { output, findData, command }: TrainOptions,
): Promise<RunReport | undefined> {
  const data = await requiredData(values, { findData });
  output.section('Environment');
  if (values.base === undefined) {
    output.line(
      `base: the small one that comes along (${EMBEDDED_BASE}), good for a try; better ones by --base: ${BETTER_BASES.join(', ')}`,
    );
  }
  return stopOnSignals(
    async (signal) => {
      const watched = {
        log: output,
        signal,
        ...(command === undefined ? {} : { resumeBy: resumeCommand(command) }),
      };
      const { report, dispose } = await (values.task === 'causal-lm'
        ? fineTuneLanguageModel({ ...languageModelOptions(values, { data: textsToLearn(data), command }), ...watched })
        : fineTuneClassifier({ ...fineTuneOptions(values, { data, command }), ...watched }));
      await dispose();
      await afterwards(values, report, output);
      return report;
    },
    { log: (line) => output.warn(line) },
  );
}

function textsToLearn(data: string | TextDataset): string {
  if (typeof data === 'string') return data;
  throw new UsageError('USAGE', '--task causal-lm needs --data: a file, a folder, a data set on the hub, or -');
}

/** The command that goes on with a run that another began. */
export function resumeCommand(command: string): string {
  const kept = command.replace(/ --(overwrite|resume( '[^']*'| [^-]\S*)?)(?= |$)/g, '');
  return `${kept} --resume`;
}

/** What a training learns from. @throws UsageError where nothing is named, or options don't go together */
export async function requiredData(
  values: TrainValues,
  { findData }: Pick<TrainOptions, 'findData'>,
): Promise<string | TextDataset> {
  checkTogether(values);
  const data = (await findData?.(values)) ?? values.data;
  if (data === undefined)
    throw new UsageError('USAGE', '--data is missing: a file, a folder, a data set on the hub, or -');
  return data;
}

function checkTogether(values: TrainValues): void {
  checkTask(values);
  if (values.overwrite && values.resume !== false)
    throw new UsageError(
      'USAGE',
      '--overwrite and --resume contradict each other: one replaces the earlier run, the other goes on with it',
    );
  const saveSteps = values.saveSteps ?? values.evalSteps;
  if (saveSteps % values.evalSteps !== 0)
    throw new UsageError(
      'USAGE',
      `--save-steps is ${saveSteps}, but a multiple of --eval-steps ${values.evalSteps} is needed: the best step must be a saved one`,
    );
  if (values.numTrainEpochs === 0 && values.maxSteps < 0)
    throw new UsageError('USAGE', '--num-train-epochs is 0, but more is needed');
  if (values.loraDropout >= 1)
    throw new UsageError('USAGE', `--lora-dropout is ${values.loraDropout}, but less than 1 is needed`);
}

function checkTask({ task, ...values }: TrainValues): void {
  const [others, what] =
    task === 'causal-lm'
      ? ([['textPairColumn', 'labelColumn', 'labelSeparator', 'labelNames', 'stratify'], 'means nothing with'] as const)
      : ([['promptColumn', 'completionColumn', 'packing'], 'needs'] as const);
  const odd = others.find((key) => values[key] !== undefined && values[key] !== false);
  if (odd !== undefined)
    throw new UsageError('USAGE', `${flagOf(odd)} ${what} --task causal-lm`, { value: values[odd] });
}

/** What can fail without harm: the adapter is saved. */
async function afterwards(values: TrainValues, report: RunReport, output: Output): Promise<void> {
  const { reportJson, previousAccuracy, previousF1, previousTokensPerSec, previousMemoryGib } = values;
  const { baselines, test_accuracy: accuracy } = report;
  // The same figure on both sides: of several labels a text, micro F1.
  const counted = report.task === 'multi_label_classification' ? report.test_f1 : accuracy;
  if (counted !== null && (baselines?.bag_of_words ?? 0) > counted)
    output.line('counting words does better here than this adapter: take a larger base (--base) or more epochs');
  if (reportJson !== undefined) {
    try {
      await writeFileAtomic(reportJson, `${JSON.stringify(report, null, 2)}\n`);
      output.line(`report: ${reportJson}`);
    } catch (error) {
      output.warn(`the report could not be written, the adapter is saved: ${(error as Error).message}`);
    }
  }
  const earlier = {
    accuracy: previousAccuracy,
    f1: previousF1,
    tokensPerSec: previousTokensPerSec,
    memoryGib: previousMemoryGib,
  };
  if (Object.values(earlier).every((figure) => figure === undefined)) return;
  output.section('Comparison');
  output.line(
    compareFigures(earlier, {
      accuracy: accuracy ?? undefined,
      f1: report.test_f1 ?? undefined,
      tokensPerSec: report.tokens_per_sec_est,
      memoryGib: report.gpu_max_mem_allocated_GiB,
    }),
  );
}
