import { Command, Option } from 'commander';
import { EVALUATE_OPTIONS, evaluate, type EvaluateValues } from './commands/evaluate';
import { chat } from './commands/chat';
import { DOCTOR_OPTIONS, doctor, type DoctorValues } from './commands/doctor';
import { generate } from './commands/generate';
import { predict } from './commands/predict';
import { launchSearch, LAUNCH_OPTIONS, SEARCH_OPTIONS, type SearchValues } from './commands/launch';
import { search } from './commands/search';
import { serve, SERVE_OPTIONS, type ServeValues } from './commands/serve';
import { train, type TrainOptions } from './commands/train';
import { commandLine, printedConfig, resolveOptions, type ResolvedOptions } from './options/check';
import { readConfigFile } from './options/config-file';
import { addFlags, givenFlags } from './options/flags';
import { CHAT_OPTIONS, GENERATE_TEXT_OPTIONS, type ChatValues, type GenerateValues } from './options/generate-options';
import type { AddCommand, OwnCommand } from './options/own-command';
import { PREDICT_OPTIONS, type PredictValues } from './options/predict-options';
import { defaultsOf, flagOf } from './options/spec';
import { TRAIN_OPTIONS, type TrainValues } from './options/train-options';
import type { TerminalOutput } from '@qlora-js/terminal';
import { exportAdapter, EXPORT_OPTIONS, type ExportValues } from './commands/export';
import { merge, MERGE_OPTIONS, type MergeValues } from './commands/merge';
import { quantize, QUANTIZE_OPTIONS, type QuantizeValues } from './commands/quantize';
import { report, REPORT_OPTIONS, type ReportValues } from './commands/report';
import { sync, SYNC_OPTIONS, type SyncValues } from './commands/sync';
import { watch, WATCH_OPTIONS, type WatchValues } from './commands/watch';
import type { TerminalOptions } from './terminal/output';
import { VERSION } from './version';

/** What the commands do; replaced in tests. */
export interface Commands {
  /** Trains, tests and saves. */
  readonly train: typeof train;
  /** Searches and stops there. */
  readonly search: typeof search;
  /** Starts a search's workers on an engine. */
  readonly launchSearch: typeof launchSearch;
  /** Labels texts. */
  readonly predict: typeof predict;
  /** Measures an adapter. */
  readonly evaluate: typeof evaluate;
  /** Goes on with prompts. */
  readonly generate: typeof generate;
  /** Holds a conversation. */
  readonly chat: typeof chat;
  /** Serves adapters. */
  readonly serve: typeof serve;
  /** Adds an adapter into its base. */
  readonly merge: typeof merge;
  /** Writes an adapter for other programs. */
  readonly exportAdapter: typeof exportAdapter;
  /** Writes a model in 4 bits. */
  readonly quantize: typeof quantize;
  /** Follows runs from another terminal. */
  readonly watch: typeof watch;
  /** Draws and compares runs. */
  readonly report: typeof report;
  /** Sends what trackers lack. */
  readonly sync: typeof sync;
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
  /** Adds further commands, such as an example's studies. */
  readonly addCommands?: (add: AddCommand) => void;
  /** Default: this package's. */
  readonly commands?: Commands;
}

/** Trials of `search`, where nobody says how many. */
const SEARCH_TRIALS = 10;

/** Builds the command line. */
export function createProgram(options: ProgramOptions): Command {
  const { name, description, openTerminal, presets = {}, findData, trainsByDefault = false } = options;
  const work = options.commands ?? {
    ...{ train, search, launchSearch, predict, evaluate, generate, chat, serve, merge, exportAdapter, quantize },
    ...{ watch, report, sync, doctor },
  };
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
    run: async (given) => {
      const { values } = given;
      const command = commandLine(`${name} train`, given, TRAIN_OPTIONS);
      const figures = await work.train(values, { output: openTerminal(values), findData, command });
      if (values.json && figures !== undefined) console.log(JSON.stringify(figures));
    },
  });
  tableCommand<SearchValues>(program, {
    name: 'search',
    description: 'searches for the best parameters of a training and stops there, here or by workers on an engine',
    table: SEARCH_OPTIONS,
    defaults: {
      ...defaultsOf(LAUNCH_OPTIONS),
      workerCommand: `npx ${name}`,
      ...training,
      trials: training.trials === 0 ? SEARCH_TRIALS : training.trials,
    },
    run: (given) => {
      if (given.values.launch !== undefined)
        return work.launchSearch(given, { output: openTerminal(given.values), findData });
      const command = commandLine(`${name} search`, given, TRAIN_OPTIONS);
      return work.search(given.values, { output: openTerminal(given.values), findData, command });
    },
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
    run: ({ values, words }) =>
      work.predict(words, values, openTerminal({ ...values, resultOnly: true, progress: false })),
  });
  tableCommand<GenerateValues>(program, {
    name: 'generate',
    description: 'goes on with a prompt, with a trained language model or a base alone',
    table: GENERATE_TEXT_OPTIONS,
    words: ['[prompts...]', 'prompts, each by itself; read from standard input where none is given'],
    run: ({ values, words }) =>
      work.generate(words, values, openTerminal({ ...values, resultOnly: true, progress: false })),
  });
  tableCommand<ChatValues>(program, {
    name: 'chat',
    description: "holds a conversation, by the base's own chat template",
    table: CHAT_OPTIONS,
    run: ({ values }) => work.chat(values, openTerminal({ ...values, resultOnly: true, progress: false })),
  });
  tableCommand<ServeValues>(program, {
    name: 'serve',
    description: 'serves saved adapters over HTTP',
    table: SERVE_OPTIONS,
    run: ({ values }) => work.serve(values, openTerminal({ ...values, progress: false })),
  });
  tableCommand<MergeValues>(program, {
    name: 'merge',
    description: 'adds a saved adapter into its base, to one model that transformers loads, and says what that costs',
    table: MERGE_OPTIONS,
    run: ({ values }) => work.merge(values, openTerminal(values)),
  });
  tableCommand<ExportValues>(program, {
    name: 'export',
    description: 'writes a saved adapter for PEFT and transformers, or for llama.cpp',
    table: EXPORT_OPTIONS,
    run: ({ values }) => work.exportAdapter(values, openTerminal(values)),
  });
  tableCommand<QuantizeValues>(program, {
    name: 'quantize',
    description: 'writes a model in 4 bits, as bitsandbytes and transformers have it',
    table: QUANTIZE_OPTIONS,
    run: ({ values }) => work.quantize(values, openTerminal(values)),
  });
  tableCommand<WatchValues>(program, {
    name: 'watch',
    description: 'follows a run or a search from another terminal, until Ctrl-C',
    table: WATCH_OPTIONS,
    words: ['<folder>', 'the --output-dir of a training or a search'],
    run: ({ values, words }) => work.watch(words[0]!, openTerminal(values)),
  });
  tableCommand<ReportValues>(program, {
    name: 'report',
    description: 'draws the report of a run anew, or compares several side by side',
    table: REPORT_OPTIONS,
    words: ['<folders...>', 'folders of runs; differences are from the first'],
    run: ({ values, words }) => work.report(words, values, openTerminal(values)),
  });
  tableCommand<SyncValues>(program, {
    name: 'sync',
    description: 'sends what trackers have not received of the runs in a folder',
    table: SYNC_OPTIONS,
    words: ['<folder>', "a run's folder, or one with runs below it"],
    run: async ({ values, words }) => {
      if (!(await work.sync(words[0]!, values, openTerminal(values)))) process.exitCode = 1;
    },
  });
  tableCommand<DoctorValues>(program, {
    name: 'doctor',
    description: 'says what would compute here and why, and whether it computes what it should',
    table: DOCTOR_OPTIONS,
    run: async ({ values }) => {
      if (!(await work.doctor(values, openTerminal(values)))) process.exitCode = 1;
    },
  });
  options.addCommands?.(({ run, ...command }) =>
    tableCommand(program, { ...command, run: (given) => run(given, openTerminal(given.values)) }),
  );
  return program;
}

interface TableCommand<Values> extends Omit<OwnCommand<Values>, 'run'> {
  readonly isDefault?: boolean;
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
    await run({ ...resolved, words: words === undefined ? [] : [args[0] as string | string[]].flat() });
  });
}
