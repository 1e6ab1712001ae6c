import { readFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { CHOICES, DEFAULT_OPTIONS, mergeOptions, UsageError, type RunOptions } from './options';

export interface Commands {
  run(options: RunOptions): Promise<void>;
  predict(options: PredictOptions): Promise<void>;
}

export interface PredictOptions {
  readonly adapter: string;
  readonly base?: string;
  readonly backend: RunOptions['backend'];
  readonly texts: readonly string[];
  readonly topK: number;
  readonly json: boolean;
}

/** The command line; `commands` does the work. */
export function createProgram(commands: Commands): Command {
  const program = new Command('qlora-banking77')
    .description(
      'Fine-tunes a 4-bit GPT-2 with LoRA adapters on an intent data set: search, training, evaluation, saving, comparison.',
    )
    .showHelpAfterError('(--help shows every option)')
    .configureOutput({ outputError: (text, write) => write(text) });
  runCommand(program, commands);
  predictCommand(program, commands);
  return program;
}

function runCommand(program: Command, commands: Commands): void {
  const command = program
    .command('run', { isDefault: true })
    .description('the whole pipeline (the default command)')
    .option('--config <file>', 'JSON file with options in camelCase; flags go before it');
  const text = (flag: string, help: string) => command.addOption(new Option(flag, help));
  const number = (flag: string, help: string, key: keyof RunOptions) =>
    command.addOption(
      new Option(`${flag} <number>`, `${help} (default: ${String(DEFAULT_OPTIONS[key])})`).argParser(parseNumber),
    );
  const choice = (flag: string, help: string, key: keyof typeof CHOICES) =>
    command.addOption(
      new Option(`${flag} <name>`, `${help} (default: ${String(DEFAULT_OPTIONS[key])})`).choices(CHOICES[key]),
    );

  text(
    '--base <path|hub id>',
    'base model: a folder, or an id on the Hugging Face hub (default: the embedded small base)',
  );
  text(
    '--data <path|hub>',
    'data set: a folder with train.csv, test.csv and categories.json, or hub for Banking77 from the hub (default: the generated data set)',
  );
  choice('--backend', 'where to compute', 'backend');
  number('--threads', 'threads that share each training batch where there is no GPU', 'threads');
  text(
    '--output-dir <folder>',
    `where the adapter and the tokenizer are saved (default: ${DEFAULT_OPTIONS.outputDir})`,
  );
  text('--report-json <file>', 'write every figure of the run to this file');
  number('--seed', 'seed of split, order, dropout, starting values and search', 'seed');

  command.optionsGroup('Data:');
  number('--max-length', 'tokens a text is cut to', 'maxLength');
  number('--test-size', 'share of the training rows held out for validation', 'testSize');
  command.option('--stratify', 'hold out the same share of every class');
  choice('--padding', 'pad batches to their longest row or to --max-length', 'padding');
  choice('--padding-side', 'side that is padded', 'paddingSide');
  command.option('--group-by-length', 'batches of rows of like length');

  command.optionsGroup('Quantisation and LoRA:');
  choice('--quant-type', 'how the base is kept', 'quantType');
  number('--blocksize', 'weights that share an absmax', 'blocksize');
  command.option('--no-double-quant', 'keep absmax in float32');
  number('--lora-r', 'rank', 'loraR');
  number('--lora-alpha', 'alpha', 'loraAlpha');
  number('--lora-dropout', 'dropout before A', 'loraDropout');
  command.option(
    '--target-modules <names...>',
    `layers that get adapters (default: ${DEFAULT_OPTIONS.targetModules.join(' ')})`,
  );
  command.option('--use-rslora', 'scale by alpha / sqrt(r)');
  command.option('--use-dora', 'train magnitude and direction apart');

  command.optionsGroup('Search:');
  number('--trials', 'trials of the hyper-parameter search; 0 trains once with the options below', 'trials');
  choice('--search-space', 'ranges the search draws from', 'searchSpace');
  number('--search-epochs', 'epochs of every trial; 0 searches their number too', 'searchEpochs');
  text('--study <file>', 'journal of the search, in the format of Optuna; an existing one is gone on with');

  command.optionsGroup('Training:');
  number('--learning-rate', 'peak learning rate', 'learningRate');
  number('--num-train-epochs', 'epochs', 'numTrainEpochs');
  number('--per-device-train-batch-size', 'rows a micro-batch', 'perDeviceTrainBatchSize');
  number('--per-device-eval-batch-size', 'rows a batch of an evaluation', 'perDeviceEvalBatchSize');
  number('--gradient-accumulation-steps', 'micro-batches a step', 'gradientAccumulationSteps');
  command.option('--gradient-checkpointing', 'compute activations again instead of keeping them');
  choice('--activation-dtype', 'what activations wait in for the backward pass', 'activationDtype');
  number('--weight-decay', 'decoupled weight decay', 'weightDecay');
  number('--warmup-steps', 'steps of warm-up, or their share of all steps if below 1', 'warmupSteps');
  command.option('--fp16', 'scale the loss for float16, as GradScaler does; steps that overflow are left out');
  number('--max-grad-norm', 'bound of the gradient norm; 0 does not clip', 'maxGradNorm');
  choice('--optim', 'optimiser', 'optim');
  choice('--lr-scheduler-type', 'schedule', 'lrSchedulerType');
  number('--eval-steps', 'steps between evaluations', 'evalSteps');
  number('--logging-steps', 'steps between log rows', 'loggingSteps');

  command.optionsGroup('Earlier figures to compare with:');
  number('--previous-accuracy', 'test accuracy', 'previousAccuracy');
  number('--previous-f1', 'test F1', 'previousF1');
  number('--previous-tokens-per-sec', 'tokens_per_sec_est', 'previousTokensPerSec');
  number('--previous-memory-gib', 'peak memory in GiB', 'previousMemoryGib');
  command.option('--no-progress', 'no progress bars');

  command.action(async (flags: Record<string, unknown>) => {
    const { config, ...given } = flags;
    // commander turns --no-x into x: true by default, which is no choice of the user's.
    for (const key of ['doubleQuant', 'progress']) if (given[key] === true) delete given[key];
    const sources = [{ place: 'command line', values: given }];
    if (typeof config === 'string') sources.unshift({ place: config, values: readConfig(config) });
    await commands.run(mergeOptions(...sources));
  });
}

function predictCommand(program: Command, commands: Commands): void {
  program
    .command('predict')
    .description('labels texts with a saved adapter')
    .argument('[texts...]', 'texts; read from standard input, one a line, where none are given')
    .option('--adapter <folder>', 'folder a run saved', DEFAULT_OPTIONS.outputDir)
    .option('--base <path|hub id>', 'base model (default: the one the adapter was trained on)')
    .addOption(new Option('--backend <name>', 'where to compute').choices(CHOICES.backend).default('auto'))
    .option('--top-k <number>', 'labels to show for each text', parseNumber, 1)
    .option('--json', 'one JSON object a line', false)
    .action(async (texts: string[], flags: Omit<PredictOptions, 'texts'>) => {
      const lines =
        texts.length > 0
          ? texts
          : readFileSync(0, 'utf8')
              .split('\n')
              .filter((line) => line.trim() !== '');
      if (lines.length === 0)
        throw new UsageError('predict: there is no text; give texts as arguments or on standard input');
      await commands.predict({ ...flags, texts: lines });
    });
}

function parseNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('a number is needed.');
  return value;
}

function readConfig(path: string): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`--config: ${path} can't be read: ${(error as Error).message}`);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`--config: ${path} is not JSON: ${(error as Error).message}`);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new UsageError(`--config: ${path} is not a JSON object`);
  return { ...json };
}
