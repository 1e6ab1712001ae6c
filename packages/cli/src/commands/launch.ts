import { join, resolve } from 'node:path';
import type { Output } from '@qlora-js/finetune';
import { UsageError } from '../errors';
import { KubernetesLauncher } from '../launch/kubernetes';
import type { Launcher } from '../launch/launcher';
import { RayLauncher } from '../launch/ray';
import { SlurmLauncher } from '../launch/slurm';
import { commandLine, quoted, type ResolvedOptions } from '../options/check';
import type { OptionTable, OptionValues } from '../options/spec';
import { TERMINAL_OPTIONS, TRAIN_OPTIONS, type TrainValues } from '../options/train-options';
import type { OwnCommand } from '../options/own-command';
import { searchedData } from './search';
import type { TrainOptions } from './train';

const ENGINE = 'Workers on an engine:';

/** Options of an engine. */
const ENGINE_OPTIONS = {
  launch: {
    kind: 'text',
    placeholder: 'engine',
    default: undefined,
    group: ENGINE,
    basic: true,
    help: 'where workers run: ray://HEAD, slurm or kubernetes; left out, here',
  },
  image: {
    kind: 'text',
    placeholder: 'image',
    default: undefined,
    group: ENGINE,
    help: 'image of a pod on kubernetes, with Node and this command',
  },
  secret: {
    kind: 'text',
    placeholder: 'name',
    default: undefined,
    group: ENGINE,
    help: 'secret of kubernetes whose entries are the environment of a worker, such as PGPASSWORD',
  },
} as const satisfies OptionTable;

/** Options of `search` about its workers. */
export const LAUNCH_OPTIONS = {
  ...ENGINE_OPTIONS,
  workers: { kind: 'number', integer: true, min: 1, default: 1, group: ENGINE, basic: true, help: 'workers to start' },
  workerCpus: { kind: 'number', integer: true, min: 1, default: 1, group: ENGINE, help: 'CPU cores of a worker' },
  workerGpus: { kind: 'number', integer: true, min: 0, default: 0, group: ENGINE, help: 'GPUs of a worker' },
  workerCommand: {
    kind: 'text',
    placeholder: 'words',
    default: 'npx qlora',
    group: ENGINE,
    help: 'how a worker calls this command on its machine',
  },
} as const satisfies OptionTable;

/** What `search` is told about its workers. */
export type LaunchValues = OptionValues<typeof LAUNCH_OPTIONS>;

/** Options of `search`. */
export const SEARCH_OPTIONS = { ...TRAIN_OPTIONS, ...LAUNCH_OPTIONS };

/** What `search` is told. */
export type SearchValues = TrainValues & LaunchValues;

type EngineValues = OptionValues<typeof ENGINE_OPTIONS>;

function launcherOf({ launch, image, secret }: EngineValues, folder: string): Launcher {
  if (launch === 'slurm') return new SlurmLauncher(folder);
  if (launch === 'kubernetes') return new KubernetesLauncher({ image, secret });
  if (launch?.startsWith('ray://') === true) return new RayLauncher(launch);
  throw new UsageError('USAGE', `--launch ${launch ?? ''} is no engine`, {
    remedy: 'ray://HEAD, slurm and kubernetes are',
  });
}

/** The shell command of worker `index`: the same search, in a folder of its own, gone on with where it was started before. */
export function workerCommand(given: ResolvedOptions<SearchValues>, folder: string, index: string): string {
  const { values, places } = given;
  const line = commandLine(
    `${values.workerCommand} search`,
    {
      values: { ...values, resume: true, overwrite: false },
      places: { ...places, outputDir: 'default', resume: 'launcher' },
    },
    TRAIN_OPTIONS,
  );
  // The index is a number or a variable of the shell's, which quotes would keep from it.
  return `${line} --output-dir "${join(folder, 'worker-')}${index}"`;
}

/** Starts the workers of a search on an engine, and follows what they print where that is the engine's to tell. */
export async function launchSearch(
  given: ResolvedOptions<SearchValues>,
  { output, findData }: Pick<TrainOptions, 'output' | 'findData'>,
): Promise<void> {
  const { values } = given;
  if (values.storage === undefined)
    throw new UsageError('USAGE', '--storage is missing', {
      remedy: 'workers meet in it: postgresql://HOST/DATABASE, say',
    });
  const folder = resolve(values.outputDir);
  if (/["$`\\\r\n]/.test(folder))
    throw new UsageError('USAGE', `--output-dir ${folder} must not hold ", $, \`, \\ or a new line`, { value: folder });
  const launcher = launcherOf(values, folder);
  await searchedData(values, { findData });
  const { study, workers, workerCpus: cpus, workerGpus: gpus } = values;
  const command = (index: string): string => workerCommand(given, folder, index);
  const ids = await launcher.start({ study, workers, cpus, gpus, command });
  output.line(`started: ${ids.join(', ')}`);
  output.line(
    `qlora study show ${quoted(study)} --storage ... shows the search; qlora workers stop --launch ${values.launch!} --study ${quoted(study)} ends it`,
  );
  if (launcher.follow === undefined) return;
  const leave = new AbortController();
  const stop = (): void => {
    output.line('the workers go on by themselves');
    leave.abort();
  };
  process.once('SIGINT', stop);
  try {
    await launcher.follow(ids, (text) => output.line(text), leave.signal);
  } finally {
    process.off('SIGINT', stop);
  }
}

const WORKERS_OPTIONS = {
  ...ENGINE_OPTIONS,
  study: TRAIN_OPTIONS.study,
  outputDir: TRAIN_OPTIONS.outputDir,
  quiet: TERMINAL_OPTIONS.quiet,
  json: TERMINAL_OPTIONS.json,
} as const satisfies OptionTable;

type WorkersValues = OptionValues<typeof WORKERS_OPTIONS>;

/** Lists or stops a study's workers on an engine. */
export async function workers(action: string, values: WorkersValues, output: Output): Promise<void> {
  const launcher = launcherOf(values, values.outputDir);
  if (action === 'list') {
    const states = await launcher.list(values.study);
    if (values.json) return console.log(JSON.stringify(states));
    for (const { id, state } of states) output.line(`${id}  ${state}`);
    if (states.length === 0) output.line('no workers');
  } else if (action === 'stop') {
    const stopped = await launcher.stop(values.study);
    output.line(stopped.length === 0 ? 'no workers' : `stopped: ${stopped.join(', ')}`);
  } else throw new UsageError('USAGE', `workers ${action} is nothing it can do`, { remedy: 'say list or stop' });
}

/** The command that lists and stops workers. */
export const WORKERS_COMMAND: OwnCommand<WorkersValues> = {
  name: 'workers',
  description: 'lists (list) or stops (stop) the workers of a search on Ray, Slurm or Kubernetes',
  table: WORKERS_OPTIONS,
  words: ['<action>', 'list or stop'],
  run: ({ values, words }, output) => workers(words[0]!, values, output),
};
