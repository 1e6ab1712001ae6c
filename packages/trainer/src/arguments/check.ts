import { METRIC_SCHEDULER_TYPES, OPTIMIZER_NAMES, SCHEDULER_TYPES, type MetricSchedulerType } from '@qlora-js/optim';
import { TrainerError } from '../errors';
import { nearestName } from './nearest';
import type { TrainingArguments } from './types';

/** Arguments with a list of values to choose from. */
const CHOICES = {
  lrSchedulerType: [...SCHEDULER_TYPES, ...METRIC_SCHEDULER_TYPES],
  optim: [...OPTIMIZER_NAMES, 'adamw_torch_fused'],
  loggingStrategy: ['no', 'steps', 'epoch'],
  evalStrategy: ['no', 'steps', 'epoch'],
  saveStrategy: ['no', 'steps', 'epoch', 'best'],
  activationDtype: ['float32', 'float16'],
} as const satisfies Partial<Record<keyof TrainingArguments, readonly string[]>>;

const COUNTS = [
  'perDeviceTrainBatchSize',
  'perDeviceEvalBatchSize',
  'gradientAccumulationSteps',
  'loggingSteps',
  'evalSteps',
  'saveSteps',
] as const;

const FLAGS = [
  'dataloaderDropLast',
  'loggingFirstStep',
  'loadBestModelAtEnd',
  'greaterIsBetter',
  'gradientCheckpointing',
  'groupByLength',
  'fp16',
  'disableTqdm',
  'removeUnusedColumns',
  'dataloaderPinMemory',
  'loggingNanInfFilter',
  'overwriteOutputDir',
] as const;

const NOT_NEGATIVE = ['learningRate', 'weightDecay', 'maxGradNorm', 'warmupSteps', 'adamEpsilon', 'evalDelay'] as const;

/** @throws TrainerError BAD_ARGUMENT naming the unknown name and the nearest known one */
export function checkNames(given: readonly string[], known: readonly string[]): void {
  const unknown = given.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const nearest = nearestName(unknown, known);
  throw new TrainerError('BAD_ARGUMENT', `there is no training argument '${unknown}'`, {
    value: unknown,
    remedy: nearest === undefined ? `there are ${[...known].sort().join(', ')}` : `did you mean ${nearest}?`,
  });
}

/** @throws TrainerError BAD_ARGUMENT naming the argument, its value and what is needed */
export function checkArguments(args: TrainingArguments): void {
  const fail = (name: keyof TrainingArguments, wanted: string): never => {
    throw new TrainerError('BAD_ARGUMENT', `${name} is ${JSON.stringify(args[name])}, but ${wanted} is needed`, {
      value: args[name],
    });
  };
  if (typeof args.outputDir !== 'string' || args.outputDir === '') fail('outputDir', 'a path');
  for (const [name, values] of Object.entries(CHOICES)) checkChoice(name, args[name as keyof typeof CHOICES], values);
  for (const name of FLAGS) if (typeof args[name] !== 'boolean') fail(name, 'true or false');
  for (const name of COUNTS) if (!Number.isInteger(args[name]) || args[name] < 1) fail(name, 'a positive integer');
  for (const name of NOT_NEGATIVE) {
    if (!(args[name] >= 0 && Number.isFinite(args[name]))) fail(name, 'a number of 0 or more');
  }
  for (const name of ['adamBeta1', 'adamBeta2'] as const) {
    if (!(args[name] >= 0 && args[name] < 1)) fail(name, 'a number from 0 to below 1');
  }
  if (!(args.labelSmoothingFactor >= 0 && args.labelSmoothingFactor <= 1)) {
    fail('labelSmoothingFactor', 'a number from 0 to 1');
  }
  if (args.warmupSteps >= 1 && !Number.isInteger(args.warmupSteps))
    fail('warmupSteps', 'whole steps, or a fraction below 1');
  if (!(args.numTrainEpochs > 0 && Number.isFinite(args.numTrainEpochs))) fail('numTrainEpochs', 'a positive number');
  if (args.maxSteps !== -1 && (!Number.isInteger(args.maxSteps) || args.maxSteps < 1))
    fail('maxSteps', 'a positive integer or -1');
  for (const name of ['seed', 'dataSeed'] as const) {
    if (!Number.isSafeInteger(args[name]) || args[name] < 0) fail(name, 'an integer of 0 or more');
  }
  if (args.saveTotalLimit !== null && !(Number.isInteger(args.saveTotalLimit) && args.saveTotalLimit >= 1))
    fail('saveTotalLimit', 'a positive integer or null');
  if (goesByMetric(args.lrSchedulerType)) checkMetricSchedule(args, fail);
  if (args.saveStrategy === 'best' && args.evalStrategy === 'no')
    fail('saveStrategy', "an evalStrategy other than 'no'");
  if (!args.loadBestModelAtEnd || args.saveStrategy === 'best') return;
  if (args.evalStrategy === 'no') fail('loadBestModelAtEnd', "an evalStrategy other than 'no'");
  if (args.saveStrategy !== args.evalStrategy)
    fail('saveStrategy', `the evalStrategy '${args.evalStrategy}' with loadBestModelAtEnd`);
  if (args.evalStrategy === 'steps' && args.saveSteps % args.evalSteps !== 0)
    fail('saveSteps', `a multiple of evalSteps ${args.evalSteps} with loadBestModelAtEnd`);
}

/** Whether a schedule goes by a metric instead of the step. */
export function goesByMetric(type: TrainingArguments['lrSchedulerType']): type is MetricSchedulerType {
  return (METRIC_SCHEDULER_TYPES as readonly string[]).includes(type);
}

function checkMetricSchedule(
  args: TrainingArguments,
  fail: (name: keyof TrainingArguments, wanted: string) => never,
): void {
  const { lrSchedulerType, lrSchedulerKwargs, metricForBestModel, greaterIsBetter } = args;
  if (args.evalStrategy === 'no') fail('evalStrategy', `'steps' or 'epoch' under lrSchedulerType '${lrSchedulerType}'`);
  // transformers would lower the rate with every improvement.
  const mode = greaterIsBetter ? 'max' : 'min';
  if ((lrSchedulerKwargs.mode ?? 'min') !== mode)
    fail('lrSchedulerKwargs', `mode '${mode}', as ${metricForBestModel} goes,`);
}

function checkChoice(name: string, value: unknown, values: readonly string[]): void {
  if (values.includes(value as string)) return;
  const nearest = typeof value === 'string' ? nearestName(value, values) : undefined;
  throw new TrainerError('BAD_ARGUMENT', `${name} is ${JSON.stringify(value)}`, {
    value,
    remedy: `${nearest === undefined ? '' : `did you mean '${nearest}'? `}there are ${values.map((known) => `'${known}'`).join(', ')}`,
  });
}
