import { Command, Option } from 'commander';
import { EVALUATE_OPTIONS, evaluate, type EvaluateValues } from './commands/evaluate';
import { DOCTOR_OPTIONS, doctor, type DoctorValues } from './commands/doctor';
import { predict } from './commands/predict';
import { search } from './commands/search';
import { serve, SERVE_OPTIONS, type ServeValues } from './commands/serve';
import { train, type TrainOptions } from './commands/train';
import { printedConfig, resolveOptions, type ResolvedOptions } from './options/check';
import { readConfigFile } from './options/config-file';
import { addFlags, givenFlags } from './options/flags';
import { PREDICT_OPTIONS, type PredictValues } from './options/predict-options';
import { defaultsOf, flagOf, type OptionTable } from './options/spec';
import { TRAIN_OPTIONS, type TrainValues } from './options/train-options';
import type { TerminalOptions, TerminalOutput } from './terminal/output';
import { VERSION } from './version';

/** What the commands do; replaced in tests. */
export interface Commands {
  /** Trains, tests and saves. */
  readonly train: typeof train;
  /** Searches and stops there. */
  readonly search: typeof search;
  /** Labels texts. */
  readonly predict: typeof predict;
  /** Measures an adapter. */
  readonly evaluate: typeof evaluate;
  /** Serves adapters. */
  readonly serve: typeof serve;
  /** Looks at the machine. */
  readonly doctor: typeof doctor;
}

/** What a command line is made of; an example of one's own sets its name, its presets, its data. */
export interface ProgramOptions {
  /** What the help calls it. */
  readonly name: string;
  /** One sentence about it. */
  readonly description: string;
  /** Opens the terminal once a command knows how it speaks. */
  readonly openTerminal: (options: TerminalOptions) => TerminalOutput;
  /** Defaults of a training that differ from this package's. */
  readonly presets?: Partial<TrainValues>;
  /** Finds data by words of its own. */
  readonly findData?: TrainOptions['findData'];
  /** Trains where no command is named. Default false. */
  readonly trainsByDefault?: boolean;
  /** Default: this package's. */
  readonly commands?: Commands;
}

/** Trials of `search`, where nobody says how many. */
const SEARCH_TRIALS = 10;

/** Builds the command line. */
export function createProgram(options: ProgramOptions): Command {
  const { name, description, openTerminal, presets = {}, findData, trainsByDefault = false } = options;
  const work = options.commands ?? { train, search, predict, evaluate, serve, doctor };
  const program = new Command(name)
    .description(description)
    .version(VERSION, '-V, --version', 'show the version')
    .showHelpAfterError(`(${name} COMMAND --help shows the options)`)
    .configureOutput({ outputError: (text, write) => write(text) });

  const training = { ...defaultsOf(TRAIN_OPTIONS), ...presets } as TrainValues;
  tableCommand<TrainValues>(program, {
    name: 'train',
    description: 'fine-tunes a model on labelled texts, tests and saves the adapter',
    table: TRAIN_OPTIONS,
    defaults: training,
    isDefault: trainsByDefault,
    run: async ({ values }) => {
      const output = openTerminal(values);
      const report = await work.train(values, { output, findData });
      if (values.json && report !== undefined) console.log(JSON.stringify(report));
    },
  });
  tableCommand<TrainValues>(program, {
    name: 'search',
    description: 'searches for the best parameters of a training and stops there',
    table: TRAIN_OPTIONS,
    defaults: { ...training, trials: training.trials === 0 ? SEARCH_TRIALS : training.trials },
    run: ({ values }) => work.search(values, { output: openTerminal(values), findData }),
  });
  tableCommand<EvaluateValues>(program, {
    name: 'evaluate',
    description: 'measures a saved adapter on labelled texts',
    table: EVALUATE_OPTIONS,
    run: ({ values }) => work.evaluate(values, openTerminal(values)),
  });
  tableCommand<PredictValues>(program, {
    name: 'predict',
    description: 'labels texts with a saved adapter',
    table: PREDICT_OPTIONS,
    defaults: { ...defaultsOf(PREDICT_OPTIONS), adapter: training.outputDir },
    words: ['[texts...]', 'texts; read from --input or standard input, one a line, where none are given'],
    run: ({ values, words }) => work.predict(words, values, openTerminal({ ...values, json: true, progress: false })),
  });
  tableCommand<ServeValues>(program, {
    name: 'serve',
    description: 'serves saved adapters over HTTP',
    table: SERVE_OPTIONS,
    run: ({ values }) => work.serve(values, openTerminal({ ...values, progress: false })),
  });
  tableCommand<DoctorValues>(program, {
    name: 'doctor',
    description: 'says what would compute here and why, and whether it computes what it should',
    table: DOCTOR_OPTIONS,
    run: async ({ values }) => {
      if (!(await work.doctor(values, openTerminal({ ...values, progress: true })))) process.exitCode = 1;
    },
  });
  return program;
}

interface TableCommand<Values> {
  readonly name: string;
  readonly description: string;
  readonly table: OptionTable;
  /** Default: the table's. */
  readonly defaults?: Values;
  readonly isDefault?: boolean;
  /** Further words on the command line, and their help. */
  readonly words?: readonly [name: string, help: string];
  readonly run: (given: ResolvedOptions<Values> & { readonly words: readonly string[] }) => Promise<void>;
}

/** A command whose options come from a table: short help first, a run's file, and where each value comes from. */
function tableCommand<Values>(program: Command, options: TableCommand<Values>): void {
  const { name, description, table, isDefault = false, words, run } = options;
  const defaults = (options.defaults ?? defaultsOf(table)) as Readonly<Record<string, unknown>>;
  const command = program.command(name, { isDefault }).description(description);
  if (words !== undefined) command.argument(...words);
  command.optionsGroup('This help and files of options:');
  command.addOption(new Option('--config <file>', 'YAML or JSON file with options in camelCase; flags go before it'));
  command.addOption(new Option('--print-config', 'show every option, its value and where it comes from, and stop'));
  command.addOption(new Option('--help-all', 'show every option'));
  addFlags(command, table, defaults);
  const basic = new Set(Object.entries(table).flatMap(([key, spec]) => (spec.basic ? [flagOf(key, spec)] : [])));
  let all = false;
  command.configureHelp({
    visibleOptions: (shown) => {
      const visible = [
        ...shown.options.filter((option) => !option.hidden),
        new Option('-h, --help', 'show the options that a person needs'),
      ];
      const own = ['--config', '--print-config', '--help-all', '--help'];
      return all ? visible : visible.filter(({ long }) => own.includes(long!) || basic.has(long!));
    },
  });
  command.on('option:help-all', () => {
    all = true;
    command.help();
  });
  command.action(async (...args: unknown[]) => {
    const { config, printConfig } = command.opts<{ config?: string; printConfig?: boolean }>();
    const flags = { place: 'command line', flags: true, values: givenFlags(command, table) };
    const sources = config === undefined ? [flags] : [readConfigFile(config), flags];
    const resolved = resolveOptions<Values>(table, defaults, sources);
    if (printConfig) return console.log(printedConfig(resolved, table));
    await run({ ...resolved, words: words === undefined ? [] : (args[0] as string[]) });
  });
}
