import type { LearnedTask, LogRow } from '@qlora-js/trainer';
import type { Baselines } from '../evaluation/baseline-figures';
import type { ManualForward } from '../evaluation/manual-forward';
import type { TestMetrics } from '../evaluation/test-metrics';
import type { TrainingContext } from '../run/context';
import type { Goal } from '../task/goal';
import type { SearchResult } from '../search/result';
import type { SearchedParameters } from '../training/settings';
import type { TrainedAdapter } from '../training/trained-adapter';
import { VERSION } from '../version';

/** Every figure of a run; keys are those of the Python stack's reports. */
export interface RunReport {
  /** On the test rows; null before they were looked at, and where that failed. */
  readonly test: TestMetrics | null;
  /** What was learnt. */
  readonly task: LearnedTask;
  /** Share of test rows with the right label, or with all of several right; null of other tasks. */
  readonly test_accuracy: number | null;
  /** F1 on the test rows, classes weighted by their rows, micro of several labels; null of other tasks. */
  readonly test_f1: number | null;
  /** F1 on the test rows, every class counting alike; null of other tasks. */
  readonly test_f1_macro: number | null;
  /** Mean loss on the test rows. */
  readonly test_loss: number | null;
  /** Of a language model, on the test rows; null of other tasks. */
  readonly test_perplexity: number | null;
  /** The highest accuracy on the validation rows; null of other tasks. */
  readonly best_val_accuracy: number | null;
  /** F1 of the weights that were chosen, on the validation rows; null of other tasks. */
  readonly best_val_f1: number | null;
  /** What the weights were chosen by, and what it came to on the validation rows. */
  readonly best_val: Goal & { readonly value: number | null };
  /** Mean loss over all steps. */
  readonly train_loss: number;
  /** Seconds in the trainer. */
  readonly train_runtime: number;
  /** Seconds from the first step to the last. */
  readonly total_time_sec: number;
  /** Time, rates and memory by epoch. */
  readonly epochs: readonly LogRow[];
  /** The last epoch's rate, every row counted as full. */
  readonly tokens_per_sec_est: number | undefined;
  /** The last epoch's rate of tokens that were there. */
  readonly real_tokens_per_sec: number | undefined;
  /** The last epoch's peak of allocated memory. */
  readonly gpu_max_mem_allocated_GiB: number | undefined;
  /** Parameters that were trained. */
  readonly trainable_params: number;
  /** All parameters, 4-bit ones counted as parameters. */
  readonly all_params: number;
  /** Rows by split. */
  readonly rows: { readonly train: number; readonly validation: number; readonly test: number };
  /** What was trained with, found or given. */
  readonly parameters: SearchedParameters;
  /** The trials before; null without a search. */
  readonly search: SearchResult | null;
  /** What costs nothing, on the test rows; null where it was not computed. */
  readonly baselines: Baselines | null;
  /** One sentence through the model by hand; null where it was not tried. */
  readonly manual_forward: ManualForward | null;
  /** The trainer's log. */
  readonly log_history: readonly LogRow[];
  /** Device, threads, base, seed. */
  readonly environment: Readonly<Record<string, unknown>>;
  /** Versions of what computed. */
  readonly versions: Readonly<Record<string, string>>;
}

/** What a report is made of. */
export interface ReportParts {
  /** The training. */
  readonly trained: TrainedAdapter;
  /** The search before it. */
  readonly found: SearchResult | undefined;
  /** The test rows' figures. */
  readonly test: TestMetrics | undefined;
  /** One sentence by hand. */
  readonly manual: ManualForward | undefined;
  /** The baselines. */
  readonly baselines: Baselines | undefined;
}

/** Gathers the figures of a run. */
export function collectReport(context: TrainingContext, parts: ReportParts): RunReport {
  const { device, model, learning, splits, settings, base, replicas } = context;
  const { task, goal } = learning;
  const { trained, found, test, manual, baselines } = parts;
  const { trainer, result, speed, training } = trained;
  const counts = model.parameterCounts();
  const last = speed.epochs.at(-1);
  const evaluations = trainer.state.logHistory
    .map((row) => row['eval_accuracy'])
    .filter((value) => value !== undefined);
  return {
    test: test ?? null,
    task,
    test_accuracy: test?.figures['accuracy']?.estimate ?? null,
    test_f1: test?.figures['f1']?.estimate ?? null,
    test_f1_macro: test?.figures['f1_macro']?.estimate ?? null,
    test_loss: test?.loss ?? null,
    test_perplexity: test?.task === 'causal_lm' ? Math.exp(test.loss) : null,
    best_val_accuracy: evaluations.length === 0 ? null : Math.max(...evaluations),
    best_val_f1: goal.metric === 'f1' ? result.bestMetric : null,
    best_val: { ...goal, value: result.bestMetric },
    train_loss: result.trainingLoss,
    train_runtime: result.seconds,
    total_time_sec: speed.totalTimeSec,
    epochs: speed.epochs,
    tokens_per_sec_est: last?.['tokens_per_sec_est'],
    real_tokens_per_sec: last?.['real_tokens_per_sec'],
    gpu_max_mem_allocated_GiB: last?.['gpu_max_mem_allocated_GiB'],
    trainable_params: counts.trainable,
    all_params: counts.all,
    rows: { train: splits.train.numRows, validation: splits.validation.numRows, test: splits.test.numRows },
    parameters: searched(training),
    search: found ?? null,
    baselines: baselines ?? null,
    manual_forward: manual ?? null,
    log_history: trainer.state.logHistory,
    environment: {
      ...device.info,
      threads: 1 + (replicas?.count ?? 0),
      base: base.id,
      seed: settings.seed,
      quant_type: settings.quantization?.quantType ?? 'none',
      optim: training.optim,
    },
    versions: { 'qlora.js': VERSION, ...runtimeVersions() },
  };
}

/** The parameters that a search varies. */
function searched(training: SearchedParameters): SearchedParameters {
  const { learningRate, perDeviceTrainBatchSize, numTrainEpochs, weightDecay, warmupSteps } = training;
  return { learningRate, perDeviceTrainBatchSize, numTrainEpochs, weightDecay, warmupSteps };
}

/** Versions of Node and V8; none in a browser. */
export function runtimeVersions(): Record<string, string> {
  const versions = (globalThis as { process?: { versions?: Record<string, string> } }).process?.versions;
  const { node, v8 } = versions ?? {};
  return node === undefined ? {} : { node: `v${node}`, v8: v8 ?? '' };
}
