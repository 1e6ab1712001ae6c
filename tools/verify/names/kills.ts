import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SeededRandom } from '@qlora-js/data';
import type { BackendName } from '@qlora-js/kernels';
import { softwareGpu } from '../../gpu/swiftshader.mjs';
import { execute } from '../commands';
import type { Verification } from '../verification';

/** What a child is told: packages/trainer/src/testing/killable.ts. */
interface Told {
  readonly folder: string;
  readonly backend: BackendName;
  readonly threads: number;
  readonly args: Readonly<Record<string, unknown>>;
  readonly killAt?: { readonly moment: string; readonly occurrence: number };
}

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly output: string;
}

interface Row {
  readonly backend: string;
  readonly threads: number;
  kills: number;
  /** Kills that found the training inside a save or an evaluation, by the point's name. */
  readonly points: Record<string, number>;
  /** Kills at a random moment. */
  random: number;
  runs: number;
  /** Runs whose adapter had the reference's bits. */
  equal: number;
  steps: number;
  /** Steps that were done again, all kills together, and the most after one kill. */
  stepsAgain: number;
  mostAgain: number;
}

const CHILD = 'packages/trainer/src/testing/killable.ts';
const SAVE_STEPS = 2;
/** 24 rows in micro-batches of 5, two a step: three steps an epoch. */
const ARGS = {
  learningRate: 5e-3,
  warmupSteps: 2,
  perDeviceTrainBatchSize: 5,
  gradientAccumulationSteps: 2,
  numTrainEpochs: 5,
  loggingSteps: 3,
  evalStrategy: 'steps',
  evalSteps: SAVE_STEPS,
  saveStrategy: 'steps',
  saveSteps: SAVE_STEPS,
  saveTotalLimit: 2,
  loadBestModelAtEnd: true,
  optim: 'paged_adamw_8bit',
  fp16: true,
  seed: 1,
};
/** Kills of one training before it may end. */
const KILLS_A_RUN = 5;
const FILES = ['adapter_config.json', 'adapter_model.safetensors', 'training_state.safetensors', 'checkpoint.json'];
const POINTS = [
  'evaluation batch',
  'staged',
  ...FILES.flatMap((file) => [`${file} half`, file]),
  'synced',
  'in place',
  'renamed',
  'removed',
];
interface Configuration {
  readonly backend: BackendName;
  readonly threads: number;
  /** Of all kills; webgpu on a software GPU is slow, so it takes the fewest. */
  readonly share: number;
}

const CONFIGURATIONS: readonly Configuration[] = [
  { backend: 'cpu', threads: 1, share: 0.25 },
  { backend: 'wasm', threads: 1, share: 0.35 },
  { backend: 'wasm', threads: 2, share: 0.25 },
  { backend: 'webgpu', threads: 1, share: 0.15 },
];

/** Where children run. */
interface Machine {
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Trainings of a tiny classifier that are killed with SIGKILL and resumed, until each has come to its end: the adapter has to
 * be bit for bit that of a training that was never stopped. On cpu, wasm with one and two threads, and webgpu. A third of the
 * kills fall at named points of a save or inside an evaluation, the others at random moments. Also writes the table of
 * docs/kills.md. Arguments: KILLS, SEED, and `real` for webgpu alone, on the machine's own GPU.
 */
export default {
  summary: 'a training killed 100 times comes to the bits of one that never was, on every backend',
  run: async ({ root, args, log }) => {
    const [kills, seed] = [Number(args[0] ?? 100), Number(args[1] ?? 14)];
    const real = args[2] === 'real';
    const env = real ? process.env : { ...process.env, ...(await softwareGpu(join(root, '.cache/swiftshader'))) };
    const rows: Row[] = [];
    for (const configuration of CONFIGURATIONS) {
      if (real && configuration.backend !== 'webgpu') continue;
      const share = real ? 1 : configuration.share;
      const told = { kills: Math.round(kills * share), seed, machine: { root, env } };
      rows.push(await killAndResume(configuration, told, log));
    }
    if (!real) writeTable(root, rows, seed);
    const held = rows.filter((row) => row.equal === row.runs && row.mostAgain <= 2 * SAVE_STEPS).length;
    if (held < rows.length) log('a killed training came to other bits, or did too much again');
    const figures = { seed, gpu: real ? 'its own' : 'SwiftShader', saveSteps: SAVE_STEPS, kills: total(rows), rows };
    return { passed: held, failed: rows.length - held, versions: {}, figures };
  },
} satisfies Verification;

function total(rows: readonly Row[]): number {
  return rows.reduce((sum, row) => sum + row.kills, 0);
}

/** Puts the rows between the marks of docs/kills.md. */
function writeTable(root: string, rows: readonly Row[], seed: number): void {
  const date = new Date().toISOString().slice(0, 10);
  const table = [
    '| backend | threads | kills | in a save or an evaluation | trainings | to the same bits | steps of one | steps again after a kill, at most |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...rows.map(
      (row) =>
        `| ${row.backend} | ${row.threads} | ${row.kills} | ${row.kills - row.random} | ${row.runs} | ${row.equal} | ${row.steps} | ${row.mostAgain} |`,
    ),
  ];
  const page = join(root, 'docs/kills.md');
  writeFileSync(
    page,
    readFileSync(page, 'utf8').replace(
      /<!-- table -->[\s\S]*<!-- end -->/,
      `<!-- table -->\n\n${date}, ${process.version}, ${total(rows)} kills, seed ${seed}.\n\n${table.join('\n')}\n\n<!-- end -->`,
    ),
  );
  execute(join(root, 'node_modules/.bin/prettier'), ['--write', '--log-level', 'warn', page]);
}

/** Runs a child; `killAfter` milliseconds after its first step it is killed. */
function run(told: Told, { root, env }: Machine, killAfter?: number): Promise<Ended> {
  const execArgv = ['--conditions=@qlora-js/source', '--import', join(root, 'tools/typescript.mjs')];
  const child = spawn(process.execPath, [...execArgv, join(root, CHILD), JSON.stringify(told)], { stdio: 'pipe', env });
  let output = '';
  let timer: NodeJS.Timeout | undefined;
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (killAfter !== undefined && output.includes('training begins')) {
        timer ??= setTimeout(() => child.kill('SIGKILL'), killAfter);
      }
    });
  }
  return new Promise((resolve) =>
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, output });
    }),
  );
}

const stepsOf = (folder: string): number[] => {
  try {
    return readFileSync(join(folder, 'steps.txt'), 'utf8').trim().split('\n').filter(Boolean).map(Number);
  } catch {
    return [];
  }
};

const adapterOf = ({ code, output }: Ended): string => {
  const [, hash] = /adapter ([0-9a-f]{64})/.exec(output) ?? [];
  if (code !== 0 || hash === undefined) throw new Error(`a training ended with ${code}:\n${output}`);
  return hash;
};

async function killed(
  row: Row,
  told: Omit<Told, 'killAt'>,
  { random, seconds, machine }: { random: SeededRandom; seconds: number; machine: Machine },
): Promise<boolean> {
  const before = stepsOf(told.folder).length;
  const named = (row.kills + row.runs) % 3 === 0;
  const moment = POINTS[((row.kills / 3 + random.below(POINTS.length)) % POINTS.length) | 0]!;
  const ended = named
    ? await run({ ...told, killAt: { moment, occurrence: 1 + random.below(2) } }, machine)
    : await run(told, machine, random.random() * seconds * 1000);
  if (ended.signal !== 'SIGKILL') {
    adapterOf(ended);
    return false;
  }
  row.kills++;
  if (named) row.points[moment] = (row.points[moment] ?? 0) + 1;
  else row.random++;
  // Steps of this process that an earlier one had done.
  const all = stepsOf(told.folder);
  const again = all.slice(before).filter((step) => all.slice(0, before).includes(step)).length;
  row.stepsAgain += again;
  row.mostAgain = Math.max(row.mostAgain, again);
  return true;
}

async function killAndResume(
  { backend, threads }: Configuration,
  { kills, seed, machine }: { kills: number; seed: number; machine: Machine },
  log: (line: string) => void,
): Promise<Row> {
  const place = CONFIGURATIONS.findIndex((each) => each.backend === backend && each.threads === threads);
  const random = new SeededRandom([seed, place]);
  const row: Row = {
    backend,
    threads,
    kills: 0,
    points: {},
    random: 0,
    runs: 0,
    equal: 0,
    steps: 0,
    stepsAgain: 0,
    mostAgain: 0,
  };
  const temporary = (): string => mkdtempSync(join(tmpdir(), 'qlora-kills-'));
  const reference = temporary();
  const started = performance.now();
  const wanted = adapterOf(await run({ folder: reference, backend, threads, args: ARGS }, machine));
  const seconds = Math.min(20, (performance.now() - started) / 1000);
  row.steps = stepsOf(reference).length;
  rmSync(reference, { recursive: true });
  while (row.kills < kills) {
    const folder = temporary();
    const told = { folder, backend, threads, args: ARGS };
    for (let kill = 0; kill < KILLS_A_RUN && row.kills < kills; kill++) {
      if (!(await killed(row, told, { random, seconds: seconds / 3, machine }))) break;
    }
    const all = stepsOf(folder);
    const ended = await run(told, machine);
    row.runs++;
    if (adapterOf(ended) === wanted) row.equal++;
    const again = stepsOf(folder)
      .slice(all.length)
      .filter((step) => all.includes(step)).length;
    row.stepsAgain += again;
    row.mostAgain = Math.max(row.mostAgain, again);
    const left = readdirSync(folder).filter((name) => name !== 'steps.txt' && !/^checkpoint-\d+$/.test(name));
    if (left.length > 0) throw new Error(`left behind: ${left.join(', ')}`);
    rmSync(folder, { recursive: true });
    log(
      `${backend} ${threads}: ${row.kills} kills, ${row.equal} of ${row.runs} runs equal, ${row.stepsAgain} steps again`,
    );
  }
  return row;
}
