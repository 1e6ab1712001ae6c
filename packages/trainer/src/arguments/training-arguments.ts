import { checkArguments, checkNames, goesByMetric } from './check';
import type { TrainingArguments } from './types';

const DEFAULTS = {
  perDeviceTrainBatchSize: 8,
  perDeviceEvalBatchSize: 8,
  gradientAccumulationSteps: 1,
  dataloaderDropLast: false,
  learningRate: 5e-5,
  weightDecay: 0,
  adamBeta1: 0.9,
  adamBeta2: 0.999,
  adamEpsilon: 1e-8,
  maxGradNorm: 1,
  numTrainEpochs: 3,
  maxSteps: -1,
  lrSchedulerType: 'linear',
  lrSchedulerKwargs: {},
  warmupSteps: 0,
  optim: 'adamw_torch',
  labelSmoothingFactor: 0,
  loggingStrategy: 'steps',
  loggingSteps: 500,
  loggingFirstStep: false,
  evalStrategy: 'no',
  evalDelay: 0,
  saveStrategy: 'no',
  saveTotalLimit: null,
  loadBestModelAtEnd: false,
  gradientCheckpointing: false,
  activationDtype: 'float32',
  groupByLength: false,
  fp16: false,
  seed: 42,
  disableTqdm: false,
  reportTo: [],
  removeUnusedColumns: true,
  dataloaderPinMemory: true,
  loggingNanInfFilter: true,
  resumeFromCheckpoint: false,
  acceptChanges: [],
  overwriteOutputDir: false,
} as const satisfies Partial<TrainingArguments>;

/** Names of arguments whose default depends on others. */
const DERIVED = [
  'outputDir',
  'evalSteps',
  'saveSteps',
  'metricForBestModel',
  'greaterIsBetter',
  'dataSeed',
  'runName',
] as const satisfies readonly (keyof TrainingArguments)[];

/** Every argument there is. */
const ARGUMENT_NAMES: readonly string[] = [...DERIVED, ...Object.keys(DEFAULTS)];

/**
 * Fills in the defaults and checks that the arguments go together.
 *
 * @throws TrainerError BAD_ARGUMENT for a name or a value that is not known, with the nearest one that is
 */
export function trainingArguments(
  options: Partial<TrainingArguments> & { readonly outputDir: string },
): TrainingArguments {
  const given = Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as typeof options;
  checkNames(Object.keys(given), ARGUMENT_NAMES);
  const evalStrategy = given.evalStrategy ?? DEFAULTS.evalStrategy;
  const loggingSteps = given.loggingSteps ?? DEFAULTS.loggingSteps;
  const evalSteps = given.evalSteps ?? (evalStrategy === 'steps' ? loggingSteps : 500);
  const loadBest = given.loadBestModelAtEnd ?? DEFAULTS.loadBestModelAtEnd;
  const saveStrategy = given.saveStrategy ?? (loadBest ? evalStrategy : DEFAULTS.saveStrategy);
  const byMetric = goesByMetric(given.lrSchedulerType ?? DEFAULTS.lrSchedulerType);
  const wanted = given.metricForBestModel ?? (loadBest || saveStrategy === 'best' || byMetric ? 'loss' : null);
  const metricForBestModel = typeof wanted === 'string' ? wanted.replace(/^eval_/, '') : wanted;
  const filled: TrainingArguments = {
    ...DEFAULTS,
    evalSteps,
    // Best and saved must be the same steps, so both default to the evaluation's.
    saveSteps: loadBest && evalStrategy === 'steps' ? evalSteps : 500,
    greaterIsBetter: !(metricForBestModel ?? 'loss').endsWith('loss'),
    dataSeed: given.seed ?? DEFAULTS.seed,
    runName: given.outputDir,
    ...given,
    saveStrategy,
    metricForBestModel,
  };
  checkArguments(filled);
  return filled;
}

/** Steps of warm-up out of all, as transformers' get_warmup_steps. */
export function warmupStepCount(args: TrainingArguments, totalSteps: number): number {
  return args.warmupSteps >= 1 ? args.warmupSteps : Math.ceil(totalSteps * args.warmupSteps);
}
