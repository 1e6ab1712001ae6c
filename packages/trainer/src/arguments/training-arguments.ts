import type { ActivationDtype } from '@qlora-js/gpt2';
import type { OptimizerName, SchedulerType } from '@qlora-js/optim';
import { TrainerError } from '../errors';

export type IntervalStrategy = 'no' | 'steps' | 'epoch';

/** transformers' TrainingArguments (training_args.py) in camelCase, with its defaults. */
export interface TrainingArguments {
  readonly outputDir: string;
  readonly perDeviceTrainBatchSize: number;
  readonly perDeviceEvalBatchSize: number;
  /** Micro-batches whose gradients make one optimiser step; the loss is the mean over all of them. */
  readonly gradientAccumulationSteps: number;
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly adamBeta1: number;
  readonly adamBeta2: number;
  readonly adamEpsilon: number;
  /** Bound of the gradients' global L2 norm; 0 turns clipping off. */
  readonly maxGradNorm: number;
  readonly numTrainEpochs: number;
  /** Optimiser steps in all; -1 leaves it to numTrainEpochs. */
  readonly maxSteps: number;
  readonly lrSchedulerType: SchedulerType;
  /** Steps of warm-up; below 1, the fraction of all steps. */
  readonly warmupSteps: number;
  readonly optim: OptimizerName;
  readonly loggingSteps: number;
  readonly evalStrategy: IntervalStrategy;
  /** Default: loggingSteps. */
  readonly evalSteps: number;
  readonly saveStrategy: IntervalStrategy;
  /** Default 500; evalSteps while the best model is to be loaded. */
  readonly saveSteps: number;
  /** Checkpoints to keep, the best one always among them; null keeps all. */
  readonly saveTotalLimit: number | null;
  readonly loadBestModelAtEnd: boolean;
  /** With or without eval_; default loss. */
  readonly metricForBestModel: string;
  /** Default: true unless the metric ends in loss. */
  readonly greaterIsBetter: boolean;
  readonly gradientCheckpointing: boolean;
  /** What activations wait in for the backward pass: float16 takes half the memory, as under torch.autocast. */
  readonly activationDtype: ActivationDtype;
  readonly groupByLength: boolean;
  /**
   * Scales the loss as torch.amp.GradScaler does, for products in float16: a step whose gradients overflow is left out and
   * halves the scale. Which dtype products have is the device's matter, not this argument's.
   */
  readonly fp16: boolean;
  /** Orders the rows and draws dropout. */
  readonly seed: number;
  /**
   * true goes on from the newest good checkpoint, from the start where there is none; a checkpoint's name or path from that
   * one. Default false.
   */
  readonly resumeFromCheckpoint: boolean | string;
  /**
   * Names of what may differ from the run that is resumed: `data`, `base`, `seed`, `perDeviceTrainBatchSize` and so on, as the
   * refusal names them. Default none: a resumed run comes to the same as one that was never stopped.
   */
  readonly acceptChanges: readonly string[];
  /** Deletes the checkpoints that an earlier run has left in outputDir; without it a new run there is refused. */
  readonly overwriteOutputDir: boolean;
}

const DEFAULTS = {
  perDeviceTrainBatchSize: 8,
  perDeviceEvalBatchSize: 8,
  gradientAccumulationSteps: 1,
  learningRate: 5e-5,
  weightDecay: 0,
  adamBeta1: 0.9,
  adamBeta2: 0.999,
  adamEpsilon: 1e-8,
  maxGradNorm: 1,
  numTrainEpochs: 3,
  maxSteps: -1,
  lrSchedulerType: 'linear',
  warmupSteps: 0,
  optim: 'adamw_torch',
  loggingSteps: 500,
  evalStrategy: 'no',
  saveStrategy: 'no',
  saveTotalLimit: null,
  loadBestModelAtEnd: false,
  metricForBestModel: 'loss',
  gradientCheckpointing: false,
  activationDtype: 'float32',
  groupByLength: false,
  fp16: false,
  seed: 42,
  resumeFromCheckpoint: false,
  acceptChanges: [],
  overwriteOutputDir: false,
} as const;

/** Fills in the defaults and checks that the arguments go together. */
export function trainingArguments(
  options: Partial<TrainingArguments> & { readonly outputDir: string },
): TrainingArguments {
  const given = Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as typeof options;
  const loggingSteps = given.loggingSteps ?? DEFAULTS.loggingSteps;
  const evalSteps = given.evalSteps ?? loggingSteps;
  const loadBest = given.loadBestModelAtEnd ?? DEFAULTS.loadBestModelAtEnd;
  const metric = (given.metricForBestModel ?? DEFAULTS.metricForBestModel).replace(/^eval_/, '');
  const filled: TrainingArguments = {
    ...DEFAULTS,
    evalSteps,
    // Best and saved must be the same steps, so both default to the evaluation's.
    saveSteps: loadBest ? evalSteps : 500,
    saveStrategy: loadBest ? (given.evalStrategy ?? DEFAULTS.evalStrategy) : DEFAULTS.saveStrategy,
    greaterIsBetter: !metric.endsWith('loss'),
    ...given,
    metricForBestModel: metric,
  };
  check(filled);
  return filled;
}

function check(args: TrainingArguments): void {
  const fail = (name: keyof TrainingArguments, wanted: string): never => {
    throw new TrainerError('BAD_ARGUMENT', `${name} is ${JSON.stringify(args[name])}, but ${wanted} is needed`);
  };
  const counts = [
    'perDeviceTrainBatchSize',
    'perDeviceEvalBatchSize',
    'gradientAccumulationSteps',
    'loggingSteps',
    'evalSteps',
    'saveSteps',
  ] as const;
  for (const name of counts) if (!Number.isInteger(args[name]) || args[name] < 1) fail(name, 'a positive integer');
  for (const name of ['learningRate', 'weightDecay', 'maxGradNorm', 'warmupSteps'] as const) {
    if (!(args[name] >= 0 && Number.isFinite(args[name]))) fail(name, 'a number of 0 or more');
  }
  if (args.warmupSteps >= 1 && !Number.isInteger(args.warmupSteps))
    fail('warmupSteps', 'whole steps, or a fraction below 1');
  if (!(args.numTrainEpochs > 0 && Number.isFinite(args.numTrainEpochs))) fail('numTrainEpochs', 'a positive number');
  if (args.maxSteps !== -1 && (!Number.isInteger(args.maxSteps) || args.maxSteps < 1))
    fail('maxSteps', 'a positive integer or -1');
  if (!['float32', 'float16'].includes(args.activationDtype)) fail('activationDtype', 'float32 or float16');
  if (!Number.isSafeInteger(args.seed) || args.seed < 0) fail('seed', 'an integer of 0 or more');
  if (args.saveTotalLimit !== null && !(args.saveTotalLimit >= 1)) fail('saveTotalLimit', 'a positive integer or null');
  if (args.loadBestModelAtEnd) {
    if (args.evalStrategy === 'no') fail('loadBestModelAtEnd', "an evalStrategy other than 'no'");
    if (args.saveStrategy !== args.evalStrategy)
      fail('saveStrategy', `the evalStrategy '${args.evalStrategy}' with loadBestModelAtEnd`);
    if (args.evalStrategy === 'steps' && args.saveSteps % args.evalSteps !== 0)
      fail('saveSteps', `a multiple of evalSteps ${args.evalSteps} with loadBestModelAtEnd`);
  }
}

/** Steps of warm-up out of all, as transformers' get_warmup_steps. */
export function warmupStepCount(args: TrainingArguments, totalSteps: number): number {
  return args.warmupSteps >= 1 ? args.warmupSteps : Math.ceil(totalSteps * args.warmupSteps);
}
