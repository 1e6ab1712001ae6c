import { DATA_FORMATS, type Task } from '@qlora-js/data';
import { DEFAULT_SETTINGS, PRUNER_NAMES, SEARCH_SPACE_NAMES, STUDY_NAME } from '@qlora-js/finetune';
import { OPTIMIZER_NAMES, SCHEDULER_TYPES } from '@qlora-js/optim';
import { TRACKER_NAMES } from '@qlora-js/tracking/node';
import type { OptionTable, OptionValues } from './spec';

const { padding, quantization, lora, training, search, seed } = DEFAULT_SETTINGS;

const MAIN = 'What to do:';
const DATA = 'Data:';
const QUANT = 'Quantisation and LoRA:';
const SEARCH = 'Search:';
const TRAINING = 'Training:';
const SAVING = 'Saving and going on:';
const HUB = 'Hugging Face hub:';
const TRACKING = 'Trackers and report:';
const EARLIER = 'Earlier figures to compare with:';
const TERMINAL = 'Terminal:';

/** Where to compute; `auto` takes a GPU where there is one. */
export const BACKENDS = ['auto', 'webgpu', 'wasm', 'tensorflow', 'cpu'] as const;

/** What a head can learn, by the names that people use. */
export const HEAD_TASKS = {
  'single-label': 'single_label_classification',
  'multi-label': 'multi_label_classification',
  regression: 'regression',
} as const satisfies Readonly<Record<string, Task>>;

/** Options of every command that loads something from the hub. */
export const HUB_OPTIONS = {
  revision: {
    kind: 'text',
    placeholder: 'name',
    default: undefined,
    group: HUB,
    help: 'branch, tag or commit of the base',
  },
  token: {
    kind: 'text',
    placeholder: 'token',
    default: undefined,
    group: HUB,
    secret: true,
    help: 'access token; better in HF_TOKEN, where other users of the machine do not see it',
  },
  cacheDir: {
    kind: 'text',
    placeholder: 'folder',
    default: undefined,
    group: HUB,
    help: 'cache of downloads, shared with the Python stack (HF_HUB_CACHE)',
  },
  offline: { kind: 'switch', default: false, group: HUB, help: 'use what is in the cache alone (HF_HUB_OFFLINE)' },
} as const satisfies OptionTable;

/** Options about the terminal. */
export const TERMINAL_OPTIONS = {
  progress: { kind: 'switch', default: true, group: TERMINAL, help: 'show nothing of what is under way' },
  quiet: { kind: 'switch', default: false, group: TERMINAL, help: 'warnings and errors alone' },
  json: {
    kind: 'switch',
    default: false,
    group: TERMINAL,
    help: 'the result as JSON on standard output, everything else as JSON lines on standard error',
  },
} as const satisfies OptionTable;

/** How the data are read. */
export const DATA_OPTIONS = {
  textColumn: {
    kind: 'text',
    placeholder: 'name',
    default: undefined,
    group: DATA,
    basic: true,
    help: 'column of the texts; found by itself where its name or its length tells',
  },
  textPairColumn: {
    kind: 'text',
    placeholder: 'name',
    default: undefined,
    group: DATA,
    help: 'column of second texts, for pairs',
  },
  labelColumn: {
    kind: 'text',
    placeholder: 'name',
    default: undefined,
    group: DATA,
    basic: true,
    help: 'column of the labels; found by itself where its name tells',
  },
  labelSeparator: {
    kind: 'text',
    placeholder: 'text',
    default: undefined,
    group: DATA,
    help: 'what stands between several labels of one text',
  },
  labelNames: { kind: 'list', default: undefined, group: DATA, help: 'labels in the order of their ids' },
  task: {
    kind: 'choice',
    choices: ['single-label', 'multi-label', 'regression', 'causal-lm'],
    default: undefined,
    group: DATA,
    basic: true,
    help: 'one label a text, several, a number, or the next token; left out, told by the labels: lists or --label-separator are several, fractions or more than 100 whole numbers are numbers, all else is single-label',
  },
  format: {
    kind: 'choice',
    choices: DATA_FORMATS,
    default: undefined,
    group: DATA,
    help: 'format of the files; told by their names, else by their content',
  },
  delimiter: {
    kind: 'text',
    placeholder: 'character',
    default: undefined,
    group: DATA,
    help: 'what stands between the fields of a CSV file',
  },
  columns: {
    kind: 'list',
    default: undefined,
    group: DATA,
    help: 'names of the columns of a CSV file without a header',
  },
  onBadRow: {
    kind: 'choice',
    choices: ['error', 'skip'],
    default: 'error',
    group: DATA,
    help: 'refuse a file with rows that are no use, or leave the rows out and count them',
  },
  dataConfig: {
    kind: 'text',
    placeholder: 'name',
    default: undefined,
    group: DATA,
    help: 'configuration of a data set on the hub',
  },
  dataRevision: {
    kind: 'text',
    placeholder: 'name',
    default: undefined,
    group: DATA,
    help: "branch, tag or commit of a data set on the hub; left out, the hub's own Parquet files of it",
  },
} as const satisfies OptionTable;

/** Everything a training can be told, stated once: flags, keys of a run's file, types, help and schema come from here. */
export const TRAIN_OPTIONS = {
  base: {
    kind: 'text',
    placeholder: 'path|hub id',
    default: undefined,
    group: MAIN,
    basic: true,
    help: 'base model: a folder, or an id on the Hugging Face hub; left out, the small one that comes along',
  },
  data: {
    kind: 'text',
    placeholder: 'path|id|-',
    default: undefined,
    group: MAIN,
    basic: true,
    help: 'CSV, TSV, JSON, JSON Lines or Parquet file or a folder of them, datasets/ORGANISATION/NAME on the hub, or - for standard input',
  },
  outputDir: {
    kind: 'text',
    placeholder: 'folder',
    default: './qlora-adapter',
    group: MAIN,
    basic: true,
    help: 'where adapter, tokenizer, checkpoints and study go',
  },
  reportJson: {
    kind: 'text',
    placeholder: 'file',
    default: undefined,
    group: MAIN,
    help: 'write every figure of the run to this file too',
  },
  backend: { kind: 'choice', choices: BACKENDS, default: 'auto', group: MAIN, basic: true, help: 'where to compute' },
  threads: {
    kind: 'number',
    integer: true,
    min: 1,
    default: 1,
    group: MAIN,
    basic: true,
    help: 'threads that share each training batch where there is no GPU',
  },
  seed: {
    kind: 'number',
    integer: true,
    min: 0,
    default: seed,
    group: MAIN,
    help: 'seed of split, order, dropout, starting values and search',
  },

  ...DATA_OPTIONS,
  testData: {
    kind: 'text',
    placeholder: 'path|id',
    default: undefined,
    group: DATA,
    basic: true,
    help: 'rows to test with; those of the set itself, else held out of the training rows',
  },
  testShare: {
    kind: 'number',
    min: 0,
    default: 0.1,
    group: DATA,
    help: 'share of the training rows held out to test with, where there are none',
  },
  validation: {
    kind: 'text',
    placeholder: 'path|id',
    default: undefined,
    group: DATA,
    help: 'rows to validate with; those of the set itself, else held out of the training rows',
  },
  testSize: {
    kind: 'number',
    min: 0,
    default: 0.1,
    group: DATA,
    help: 'share or count of the training rows held out to validate with, where there are none',
  },
  promptColumn: {
    kind: 'text',
    placeholder: 'name',
    default: undefined,
    group: DATA,
    help: 'causal-lm: column of prompts, which are not learnt; found by its name beside that of the completions',
  },
  completionColumn: {
    kind: 'text',
    placeholder: 'name',
    default: undefined,
    group: DATA,
    help: 'causal-lm: column of what is to be said to the prompts; --text-column has whole texts instead',
  },
  packing: {
    kind: 'switch',
    default: false,
    group: DATA,
    help: 'causal-lm: short texts together in rows of up to --max-length tokens, where they see nothing of each other',
  },
  stratify: { kind: 'switch', default: false, group: DATA, help: 'hold out the same share of every label' },
  maxLength: {
    kind: 'number',
    integer: true,
    min: 1,
    default: padding.maxLength,
    group: DATA,
    basic: true,
    help: 'tokens a text is cut to',
  },
  padding: {
    kind: 'choice',
    choices: ['longest', 'max_length'],
    default: padding.padding,
    group: DATA,
    help: 'pad batches to their longest row or to --max-length',
  },
  paddingSide: {
    kind: 'choice',
    choices: ['right', 'left'],
    default: padding.paddingSide,
    group: DATA,
    help: 'side that is padded',
  },
  groupByLength: {
    kind: 'switch',
    default: training.groupByLength,
    group: DATA,
    help: 'batches of rows of like length',
  },

  quantType: {
    kind: 'choice',
    choices: ['nf4', 'fp4', 'int4', 'none'],
    default: quantization!.quantType,
    group: QUANT,
    help: 'how the base is kept',
  },
  blocksize: {
    kind: 'number',
    integer: true,
    min: 32,
    default: quantization!.blocksize,
    group: QUANT,
    help: 'weights that share an absmax',
  },
  doubleQuant: { kind: 'switch', default: true, group: QUANT, help: 'keep absmax in float32' },
  loraR: { kind: 'number', integer: true, min: 1, default: lora.r, group: QUANT, basic: true, help: 'rank' },
  loraAlpha: { kind: 'number', min: 0, default: lora.loraAlpha, group: QUANT, help: 'alpha' },
  loraDropout: { kind: 'number', min: 0, default: lora.loraDropout, group: QUANT, help: 'dropout before A' },
  targetModules: {
    kind: 'list',
    default: undefined,
    group: QUANT,
    help: "layers that get adapters; the model family's usual ones",
  },
  useRslora: { kind: 'switch', default: lora.useRslora, group: QUANT, help: 'scale by alpha / sqrt(r)' },
  useDora: { kind: 'switch', default: lora.useDora, group: QUANT, help: 'train magnitude and direction apart' },

  trials: {
    kind: 'number',
    integer: true,
    min: 0,
    default: 0,
    group: SEARCH,
    basic: true,
    help: 'trials of the hyper-parameter search in all, those of earlier runs and other workers among them; 0 trains once with the options below',
  },
  searchSpace: {
    kind: 'choice',
    choices: SEARCH_SPACE_NAMES,
    default: search.space as (typeof SEARCH_SPACE_NAMES)[number],
    group: SEARCH,
    help: 'ranges the search draws from',
  },
  searchEpochs: {
    kind: 'number',
    min: 0,
    default: search.epochs,
    group: SEARCH,
    help: 'epochs of every trial; 0 searches their number too',
  },
  searchPruner: {
    kind: 'choice',
    choices: PRUNER_NAMES,
    default: search.pruner,
    group: SEARCH,
    help: 'which trials end early: by asynchronous successive halving over the samples seen, below the median, or none',
  },
  study: {
    kind: 'text',
    placeholder: 'name',
    default: STUDY_NAME,
    group: SEARCH,
    help: 'name of the study; one that is there is gone on with',
  },
  storage: {
    kind: 'text',
    placeholder: 'url|file',
    default: undefined,
    group: SEARCH,
    help: 'where workers that share a study meet: sqlite:///FILE, postgresql://USER:PASSWORD@HOST/DATABASE, or a journal of Optuna; left out, a journal in the output folder, for this run alone',
  },
  checkpointDir: {
    kind: 'text',
    placeholder: 'folder',
    default: undefined,
    group: SEARCH,
    help: "checkpoints of the trials; workers that share it go on with each other's trials; left out, in the output folder",
  },

  learningRate: {
    kind: 'number',
    min: 0,
    default: training.learningRate,
    group: TRAINING,
    basic: true,
    help: 'peak learning rate',
  },
  numTrainEpochs: {
    kind: 'number',
    min: 0,
    default: training.numTrainEpochs,
    group: TRAINING,
    basic: true,
    help: 'epochs',
  },
  maxSteps: {
    kind: 'number',
    integer: true,
    min: -1,
    default: training.maxSteps,
    group: TRAINING,
    help: 'steps in all; -1 leaves it to the epochs',
  },
  perDeviceTrainBatchSize: {
    kind: 'number',
    integer: true,
    min: 1,
    default: training.perDeviceTrainBatchSize,
    group: TRAINING,
    basic: true,
    help: 'rows a micro-batch',
  },
  perDeviceEvalBatchSize: {
    kind: 'number',
    integer: true,
    min: 1,
    default: training.perDeviceEvalBatchSize,
    group: TRAINING,
    help: 'rows a batch of an evaluation',
  },
  gradientAccumulationSteps: {
    kind: 'number',
    integer: true,
    min: 1,
    default: training.gradientAccumulationSteps,
    group: TRAINING,
    help: 'micro-batches a step',
  },
  gradientCheckpointing: {
    kind: 'switch',
    default: training.gradientCheckpointing,
    group: TRAINING,
    help: 'compute activations again instead of keeping them',
  },
  activationDtype: {
    kind: 'choice',
    choices: ['float32', 'float16'],
    default: training.activationDtype,
    group: TRAINING,
    help: 'what activations wait in for the backward pass',
  },
  weightDecay: {
    kind: 'number',
    min: 0,
    default: training.weightDecay,
    group: TRAINING,
    help: 'decoupled weight decay',
  },
  warmupSteps: {
    kind: 'number',
    min: 0,
    default: training.warmupSteps,
    group: TRAINING,
    help: 'steps of warm-up, or their share of all steps if below 1',
  },
  fp16: {
    kind: 'switch',
    default: training.fp16,
    group: TRAINING,
    help: 'scale the loss for float16, as GradScaler does; steps that overflow are left out',
  },
  maxGradNorm: {
    kind: 'number',
    min: 0,
    default: training.maxGradNorm,
    group: TRAINING,
    help: 'bound of the gradient norm; 0 does not clip',
  },
  optim: { kind: 'choice', choices: OPTIMIZER_NAMES, default: training.optim, group: TRAINING, help: 'optimiser' },
  lrSchedulerType: {
    kind: 'choice',
    choices: SCHEDULER_TYPES,
    default: training.lrSchedulerType,
    group: TRAINING,
    help: 'schedule',
  },
  evalSteps: {
    kind: 'number',
    integer: true,
    min: 1,
    default: training.evalSteps,
    group: TRAINING,
    help: 'steps between evaluations',
  },
  loggingSteps: {
    kind: 'number',
    integer: true,
    min: 1,
    default: training.loggingSteps,
    group: TRAINING,
    help: 'steps between log rows',
  },

  saveSteps: {
    kind: 'number',
    integer: true,
    min: 1,
    default: undefined,
    group: SAVING,
    help: 'steps between checkpoints, a multiple of --eval-steps; default --eval-steps',
  },
  saveTotalLimit: {
    kind: 'number',
    integer: true,
    min: 1,
    default: training.saveTotalLimit!,
    group: SAVING,
    help: 'checkpoints to keep, the best one always among them',
  },
  resume: {
    kind: 'textOrTrue',
    placeholder: 'checkpoint',
    default: false,
    group: SAVING,
    basic: true,
    help: 'go on with the run in --output-dir, from its newest checkpoint or the one named',
  },
  overwrite: {
    kind: 'switch',
    default: false,
    group: SAVING,
    help: 'replace what an earlier run has left in --output-dir',
  },

  ...HUB_OPTIONS,

  reportTo: {
    kind: 'list',
    choices: TRACKER_NAMES,
    default: undefined,
    group: TRACKING,
    basic: true,
    help: 'trackers to show the run and its trials in; JSON lines are always written',
  },
  project: {
    kind: 'text',
    placeholder: 'name',
    default: 'qlora',
    group: TRACKING,
    help: 'project of W&B, experiment of MLflow',
  },
  entity: { kind: 'text', placeholder: 'name', default: undefined, group: TRACKING, help: 'user or team of W&B' },
  runGroup: {
    kind: 'text',
    placeholder: 'name',
    default: undefined,
    group: TRACKING,
    help: 'what holds the runs of a search together; the name of --output-dir',
  },
  tags: { kind: 'list', default: undefined, group: TRACKING, help: 'words to find the runs by' },
  report: { kind: 'switch', default: true, group: TRACKING, help: 'draw no report.html' },

  previousAccuracy: { kind: 'number', min: 0, default: undefined, group: EARLIER, help: 'test accuracy' },
  previousF1: { kind: 'number', min: 0, default: undefined, group: EARLIER, help: 'test F1' },
  previousTokensPerSec: { kind: 'number', min: 0, default: undefined, group: EARLIER, help: 'tokens_per_sec_est' },
  previousMemoryGib: { kind: 'number', min: 0, default: undefined, group: EARLIER, help: 'peak memory in GiB' },

  ...TERMINAL_OPTIONS,
} as const satisfies OptionTable;

/** What a training is told, with nothing left open. */
export type TrainValues = OptionValues<typeof TRAIN_OPTIONS>;
