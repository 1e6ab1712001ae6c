import type { ActivationDtype } from '@qlora-js/gpt2';
import { OPTIMIZER_NAMES, SCHEDULER_TYPES, type OptimizerName, type SchedulerType } from '@qlora-js/optim';

/** Everything a run can be told; what a config file may hold, in camelCase. */
export interface RunOptions {
  /** Folder or hub id of the base model; the embedded small base where it is left out. */
  readonly base?: string;
  /** Folder of the data set, `hub`, or undefined for the generated one. */
  readonly data?: string;
  readonly backend: 'auto' | 'webgpu' | 'wasm' | 'tensorflow' | 'cpu';
  /** Threads that share each training batch, the main one among them; a GPU needs no others. */
  readonly threads: number;
  readonly outputDir: string;
  readonly reportJson?: string;
  readonly seed: number;
  readonly maxLength: number;
  readonly testSize: number;
  readonly stratify: boolean;
  readonly padding: 'longest' | 'max_length';
  readonly paddingSide: 'right' | 'left';
  readonly quantType: 'nf4' | 'fp4' | 'int4' | 'none';
  readonly blocksize: number;
  readonly doubleQuant: boolean;
  readonly loraR: number;
  readonly loraAlpha: number;
  readonly loraDropout: number;
  readonly targetModules: readonly string[];
  readonly useRslora: boolean;
  readonly useDora: boolean;
  readonly trials: number;
  /** Ranges the search draws from: the reference's, or narrower ones for data sets of a few hundred rows. */
  readonly searchSpace: 'reference' | 'small';
  /** Epochs of every trial, numTrainEpochs then being the final training's alone; 0 makes the number one of what is searched. */
  readonly searchEpochs: number;
  readonly study?: string;
  readonly learningRate: number;
  readonly numTrainEpochs: number;
  readonly perDeviceTrainBatchSize: number;
  readonly perDeviceEvalBatchSize: number;
  readonly gradientAccumulationSteps: number;
  readonly gradientCheckpointing: boolean;
  readonly activationDtype: ActivationDtype;
  readonly weightDecay: number;
  readonly warmupSteps: number;
  readonly maxGradNorm: number;
  readonly optim: OptimizerName;
  readonly lrSchedulerType: SchedulerType;
  readonly evalSteps: number;
  readonly loggingSteps: number;
  readonly groupByLength: boolean;
  readonly fp16: boolean;
  readonly previousAccuracy: number;
  readonly previousF1: number;
  readonly previousTokensPerSec: number;
  readonly previousMemoryGib: number;
  readonly progress: boolean;
}

/** The reference notebook's settings. */
export const DEFAULT_OPTIONS: RunOptions = {
  backend: 'auto',
  threads: 1,
  outputDir: './final_qlora_dialogpt_nf4',
  seed: 42,
  maxLength: 128,
  testSize: 0.1,
  stratify: false,
  padding: 'longest',
  paddingSide: 'right',
  quantType: 'nf4',
  blocksize: 64,
  doubleQuant: true,
  loraR: 16,
  loraAlpha: 32,
  loraDropout: 0.1,
  targetModules: ['c_attn', 'c_proj'],
  useRslora: false,
  useDora: false,
  trials: 5,
  searchSpace: 'reference',
  searchEpochs: 0,
  learningRate: 2e-4,
  numTrainEpochs: 3,
  perDeviceTrainBatchSize: 8,
  perDeviceEvalBatchSize: 64,
  gradientAccumulationSteps: 1,
  gradientCheckpointing: false,
  activationDtype: 'float32',
  weightDecay: 0.01,
  warmupSteps: 100,
  maxGradNorm: 1,
  optim: 'paged_adamw_8bit',
  lrSchedulerType: 'linear',
  evalSteps: 100,
  loggingSteps: 50,
  groupByLength: false,
  fp16: false,
  previousAccuracy: 0.93,
  previousF1: 0.93,
  previousTokensPerSec: 90_000,
  previousMemoryGib: 7.2,
  progress: true,
};

/** What an option may be, where that is one of a few names. */
export const CHOICES = {
  backend: ['auto', 'webgpu', 'wasm', 'tensorflow', 'cpu'],
  padding: ['longest', 'max_length'],
  paddingSide: ['right', 'left'],
  activationDtype: ['float32', 'float16'],
  quantType: ['nf4', 'fp4', 'int4', 'none'],
  searchSpace: ['reference', 'small'],
  optim: OPTIMIZER_NAMES,
  lrSchedulerType: SCHEDULER_TYPES,
} as const satisfies Partial<Record<keyof RunOptions, readonly string[]>>;

const INTEGERS = new Set<keyof RunOptions>([
  'threads',
  'seed',
  'maxLength',
  'blocksize',
  'loraR',
  'trials',
  'perDeviceTrainBatchSize',
  'perDeviceEvalBatchSize',
  'gradientAccumulationSteps',
  'evalSteps',
  'loggingSteps',
]);

/** A mistake in flags or config file: shown without a stack. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/**
 * Defaults, then the config file, then the flags. Values are checked in type and range; an unknown key, a word where a
 * number belongs, or a number out of range is an error that names it.
 */
export function mergeOptions(
  ...sources: readonly { readonly place: string; readonly values: Readonly<Record<string, unknown>> }[]
): RunOptions {
  const merged: Record<string, unknown> = { ...DEFAULT_OPTIONS };
  for (const { place, values } of sources) {
    for (const [key, value] of Object.entries(values)) {
      if (value === undefined) continue;
      merged[key] = checked(key, value, place);
    }
  }
  return merged as unknown as RunOptions;
}

const OPTIONAL_TEXT = new Set(['base', 'data', 'reportJson', 'study']);

function checked(key: string, value: unknown, place: string): unknown {
  const fail = (wanted: string): never => {
    throw new UsageError(`${place}: ${key} is ${JSON.stringify(value)}, but ${wanted} is needed`);
  };
  if (OPTIONAL_TEXT.has(key)) return typeof value === 'string' && value !== '' ? value : fail('a text');
  if (!Object.hasOwn(DEFAULT_OPTIONS, key)) {
    throw new UsageError(`${place}: there is no option ${JSON.stringify(key)}; see --help for those there are`);
  }
  const name = key as keyof RunOptions;
  const example = DEFAULT_OPTIONS[name];
  const choices = (CHOICES as Partial<Record<keyof RunOptions, readonly string[]>>)[name];
  if (choices !== undefined) return choices.includes(value as string) ? value : fail(`one of ${choices.join(', ')}`);
  if (typeof example === 'boolean') return typeof value === 'boolean' ? value : fail('true or false');
  if (typeof example === 'number') {
    if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) return fail('a number of 0 or more');
    if (INTEGERS.has(name) && !Number.isInteger(value)) return fail('a whole number');
    if (name === 'threads' && value < 1) return fail('1 or more');
    return value;
  }
  if (Array.isArray(example)) {
    return Array.isArray(value) && value.length > 0 && value.every((entry) => typeof entry === 'string')
      ? value
      : fail('a list of names');
  }
  return typeof value === 'string' && value !== '' ? value : fail('a text');
}
