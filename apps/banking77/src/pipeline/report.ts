import type { LogRow } from '@qlora-js/trainer';
import type { RunContext } from './context';
import type { ManualForward } from './manual-forward';
import type { BaselineAccuracies } from './run';
import type { SearchResult } from './search';
import type { TrainingParameters, TrainingRun } from './training';

/** What --report-json writes; keys are those of the Python stack's reports. */
export interface RunReport {
  readonly test_accuracy: number;
  readonly test_f1: number;
  readonly test_f1_macro: number;
  readonly test_loss: number;
  readonly best_val_accuracy: number;
  readonly best_val_f1: number | null;
  readonly train_loss: number;
  readonly train_runtime: number;
  readonly total_time_sec: number;
  readonly epochs: readonly LogRow[];
  readonly tokens_per_sec_est: number | undefined;
  readonly real_tokens_per_sec: number | undefined;
  readonly gpu_max_mem_allocated_GiB: number | undefined;
  readonly trainable_params: number;
  readonly all_params: number;
  readonly rows: { readonly train: number; readonly validation: number; readonly test: number };
  readonly parameters: TrainingParameters;
  readonly search: SearchResult | null;
  readonly baselines: BaselineAccuracies;
  readonly manual_forward: ManualForward;
  readonly log_history: readonly LogRow[];
  readonly environment: Readonly<Record<string, unknown>>;
  readonly versions: Readonly<Record<string, string>>;
}

export interface ReportParts {
  readonly parameters: TrainingParameters;
  readonly found: SearchResult | undefined;
  readonly training: TrainingRun;
  readonly test: LogRow;
  readonly manual: ManualForward;
  readonly baselines: BaselineAccuracies;
}

const VERSION = '0.1.0';

export function collectReport(context: RunContext, parts: ReportParts): RunReport {
  const { device, model, splits, options, base, replicas } = context;
  const { training, test, parameters, found, manual, baselines } = parts;
  const counts = model.parameterCounts();
  const { epochs, totalTimeSec } = training.speed;
  const last = epochs.at(-1);
  const evaluations = training.trainer.state.logHistory
    .map((row) => row['eval_accuracy'])
    .filter((value) => value !== undefined);
  return {
    test_accuracy: test['test_accuracy']!,
    test_f1: test['test_f1']!,
    test_f1_macro: test['test_f1_macro']!,
    test_loss: test['test_loss']!,
    best_val_accuracy: Math.max(...evaluations),
    best_val_f1: training.output.bestMetric,
    train_loss: training.output.trainingLoss,
    train_runtime: training.output.seconds,
    total_time_sec: totalTimeSec,
    epochs,
    tokens_per_sec_est: last?.['tokens_per_sec_est'],
    real_tokens_per_sec: last?.['real_tokens_per_sec'],
    gpu_max_mem_allocated_GiB: last?.['gpu_max_mem_allocated_GiB'],
    trainable_params: counts.trainable,
    all_params: counts.all,
    rows: { train: splits.train.numRows, validation: splits.validation.numRows, test: splits.test.numRows },
    parameters: pickParameters(parameters),
    search: found ?? null,
    baselines,
    manual_forward: manual,
    log_history: training.trainer.state.logHistory,
    environment: {
      ...device.info,
      threads: 1 + (replicas?.count ?? 0),
      base: base.id,
      seed: options.seed,
      quant_type: options.quantType,
      optim: options.optim,
    },
    versions: { 'qlora.js': VERSION, node: process.version, v8: process.versions.v8 },
  };
}

function pickParameters({
  learningRate,
  perDeviceTrainBatchSize,
  numTrainEpochs,
  weightDecay,
  warmupSteps,
}: TrainingParameters): TrainingParameters {
  return { learningRate, perDeviceTrainBatchSize, numTrainEpochs, weightDecay, warmupSteps };
}
