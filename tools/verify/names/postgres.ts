import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import {
  createStudy,
  loadStudy,
  RandomSampler,
  TPESampler,
  TrialPruned,
  type Storage,
  type Trial,
} from '@qlora-js/hpo';
import { openStorage } from '@qlora-js/finetune/node';
import { capture } from '../commands';
import { installPython } from '../install';
import { dumpStudy } from '../postgres/dump';
import { PostgresServer } from '../postgres/server';
import { storm } from '../postgres/storm';
import type { Verification, VerifyContext } from '../verification';

/** Optunas whose databases are read: the oldest and a late one of 3, of which the tables differ, one of 4 and the newest. */
const OPTUNAS = ['optuna-3.1', 'optuna-3.6', 'optuna-4', 'optuna-5'];
const QUIET = { info: () => undefined, warn: () => undefined };

/** Arguments: TRIALS WORKERS STEPS of a storm; 200, 16 and 5 by default. */
export default {
  summary:
    "studies on PostgreSQL and SQLite: Optuna's own files of each release, Python beside TypeScript, storms of workers",
  run: async (context) => {
    const { root, args, cache, log } = context;
    const [trials, workers, steps] = [200, 16, 5].map((size, i) => Number(args[i] ?? size)) as [number, number, number];
    const checks = new Checks(log);
    const versions: Record<string, string> = { node: process.version };
    const server = await PostgresServer.start(cache);
    try {
      versions['postgresql'] = server.version;
      for (const name of OPTUNAS) {
        log(`installing ${name}`);
        const python = installPython(join(cache, name), join(root, 'tools/verify/postgres', `${name}.txt`));
        versions[name] = await olderFiles(context, python, name, checks);
        if (name === 'optuna-5') {
          await together(context, python, { url: server.database('together'), checks, what: 'PostgreSQL' });
          const file = freshFile(cache, 'together.db');
          await together(context, python, { url: `sqlite:///${file}`, checks, what: 'SQLite' });
        }
      }
      const storms: Record<string, unknown> = {};
      for (const [kind, url, restart] of [
        ['sqlite', `sqlite:///${freshFile(cache, 'storm.db')}`, undefined],
        ['postgresql', server.database('storm'), () => server.restart()],
      ] as const) {
        log(
          `a storm on ${kind}: ${workers} workers, ${trials} trials of ${steps} steps, ${availableParallelism()} cores`,
        );
        const folder = join(cache, `checkpoints-${kind}`);
        const { faults, ...figures } = await storm({ url, trials, workers, steps, folder, restart, log });
        checks.note(`storm on ${kind}`, faults);
        storms[kind] = { trials, workers, steps, cores: availableParallelism(), ...figures };
        log(JSON.stringify(storms[kind]));
      }
      return { ...checks.counts, versions, figures: { storms } };
    } finally {
      server.stop();
    }
  },
} satisfies Verification;

class Checks {
  readonly counts = { passed: 0, failed: 0 };

  constructor(private readonly log: (line: string) => void) {}

  note(what: string, faults: readonly string[]): void {
    if (faults.length === 0) this.counts.passed++;
    else this.counts.failed++;
    this.log(`${faults.length === 0 ? 'ok' : 'FAILED'}: ${what}${faults.map((fault) => `\n  ${fault}`).join('')}`);
  }

  same(what: string, ours: unknown, theirs: unknown): void {
    // Optuna 3.1 gives parameters in an order of the database's.
    const [a, b] = [sorted(ours), sorted(theirs)];
    if (a === b) return this.note(what, []);
    let at = 0;
    while (a[at] === b[at]) at++;
    this.note(what, [
      `ours ...${a.slice(Math.max(0, at - 60), at + 60)}`,
      `Optuna's ...${b.slice(Math.max(0, at - 60), at + 60)}`,
    ]);
  }
}

/** JSON with the names of objects in order. */
function sorted(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    item !== null && typeof item === 'object' && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}

function freshFile(cache: string, name: string): string {
  mkdirSync(cache, { recursive: true });
  for (const suffix of ['', '-wal', '-shm']) rmSync(join(cache, `${name}${suffix}`), { force: true });
  return join(cache, name);
}

interface PythonDump {
  readonly version: string;
  readonly study: unknown;
}

/** Which driver SQLAlchemy takes by itself changes with its releases. */
const forPython = (word: string): string => word.replace(/^postgresql:/, 'postgresql+psycopg2:');

function optuna({ root }: VerifyContext, python: string, ...given: string[]): PythonDump {
  const words = given.map(forPython);
  return JSON.parse(capture(python, [join(root, 'tools/verify/postgres/optuna_study.py'), ...words])) as PythonDump;
}

/** What an Optuna has written is read the same here, gone on with, and read again by it. */
async function olderFiles(context: VerifyContext, python: string, name: string, checks: Checks): Promise<string> {
  const file = freshFile(context.cache, `${name}.db`);
  const url = `sqlite:///${file}`;
  const { version, study } = optuna(context, python, 'write', url, 's');
  const revision = readFileSync(file).includes('v3.2.0.a') ? 'v3.2.0.a' : 'v3.0.0.d';
  await withStorage(url, async (storage) => {
    checks.same(`${version} (${revision}): read`, await dumpStudy(storage, 's'), study);
    await goOn(storage, 's', 3);
  });
  await withStorage(url, async (storage) => {
    checks.same(
      `${version}: reads on after three trials from here`,
      await dumpStudy(storage, 's'),
      optuna(context, python, 'dump', url, 's').study,
    );
  });
  return version;
}

/** A study made here, gone on with there and here in turn. */
async function together(
  context: VerifyContext,
  python: string,
  { url, checks, what }: { readonly url: string; readonly checks: Checks; readonly what: string },
): Promise<void> {
  const compare = (title: string): Promise<void> =>
    withStorage(url, async (storage) =>
      checks.same(`${what}: ${title}`, await dumpStudy(storage, 't'), optuna(context, python, 'dump', url, 't').study),
    );
  await withStorage(url, async (storage) => {
    const study = await createStudy({
      studyName: 't',
      storage,
      direction: 'maximize',
      sampler: new RandomSampler({ seed: 1 }),
      logger: QUIET,
    });
    await study.setUserAttr('by', 'typescript');
    await study.optimize(objective, { nTrials: 6, catch: RangeError });
    await study.enqueueTrial({ k: 3 });
  });
  await compare('what is written here is read the same there');
  optuna(context, python, 'go-on', url, 't', '4');
  await compare('gone on with there');
  await withStorage(url, (storage) => goOn(storage, 't', 4));
  await compare('and here again');
  // Both at once, on one study.
  const words = [join(context.root, 'tools/verify/postgres/optuna_study.py'), 'go-on', forPython(url), 't', '15'];
  const { spawn } = await import('node:child_process');
  const child = spawn(python, words, { stdio: 'ignore' });
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
  await withStorage(url, (storage) => goOn(storage, 't', 15));
  const code = await ended;
  await compare('both at once');
  await withStorage(url, async (storage) => {
    const { trials } = (await dumpStudy(storage, 't')) as { trials: { number: number; state: string }[] };
    const faults = trials.flatMap(({ number, state }, i) =>
      number === i && state !== 'RUNNING' ? [] : [`trial ${number} at ${i}: ${state}`],
    );
    if (code !== 0) faults.push(`Python ended with ${String(code)}`);
    if (trials.length !== 6 + 4 + 4 + 15 + 15) faults.push(`${trials.length} trials`);
    checks.note(`${what}: every trial of both has its own number`, faults);
  });
}

function objective(trial: Trial): number {
  const x = trial.suggestFloat('x', 1e-4, 1, { log: true });
  const y = trial.suggestFloat('y', 0, 1, { step: 0.1 });
  const k = trial.suggestInt('k', 1, 9, { step: 2 });
  const c = trial.suggestCategorical('c', ['a', null, 2.5, true]);
  trial.setUserAttr('note', { list: [1, 2.5, 'ä'], nan: NaN });
  for (let step = 0; step < 3; step++) trial.report(trial.number === 2 && step === 1 ? Infinity : x * step, step);
  if (trial.number === 3) throw new TrialPruned();
  if (trial.number === 4) throw new RangeError('boom');
  return trial.number === 5 ? -Infinity : x + y + k + (c === null ? 0 : 1);
}

async function goOn(storage: Storage, studyName: string, nTrials: number): Promise<void> {
  const sampler = new TPESampler({ seed: 3, nStartupTrials: 3 });
  const study = await loadStudy({ studyName, storage, sampler, logger: QUIET });
  await study.optimize(objective, { nTrials, catch: RangeError });
}

async function withStorage<T>(url: string, work: (storage: Storage) => Promise<T>): Promise<T> {
  const { storage, close } = await openStorage(url);
  try {
    return await work(storage);
  } finally {
    await close();
  }
}
