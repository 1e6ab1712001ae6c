// TPE's ask and tell beside Optuna and Rustuna, in turn and in fresh processes, and what storages bear: bench/results/hpo.json
// usage: node --conditions=@qlora-js/source --import tsx tools/bench/hpo.ts [TURNS]
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createStudy, InMemoryStorage, NopPruner, RandomSampler, type Storage } from '@qlora-js/hpo';
import { openStorage } from '@qlora-js/finetune/node';
import { capture } from '../verify/commands';
import { installPython } from '../verify/install';
import { PostgresServer } from '../verify/postgres/server';
import { RESULTS } from './results';

const root = join(import.meta.dirname, '../..');
const turns = Number(process.argv[2] ?? 3);
const cache = join(root, '.cache/bench/hpo');
const python = installPython(cache, join(root, 'tools/bench/hpo-requirements.txt'));
const script = (name: string): string => join(root, 'tools/bench', name);

interface Run {
  readonly seconds: number;
  readonly best: number;
  readonly version?: string;
}

const contestants: Readonly<Record<string, (trials: number) => Run>> = {
  'qlora.js': (trials) =>
    JSON.parse(capture(process.execPath, [...process.execArgv, script('hpo-study.ts'), String(trials)])) as Run,
  optuna: (trials) => JSON.parse(capture(python, [script('hpo_study.py'), 'optuna', String(trials)])) as Run,
  rustuna: (trials) => JSON.parse(capture(python, [script('hpo_study.py'), 'rustuna', String(trials)])) as Run,
};

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
const versions: Record<string, string> = { node: process.version };

/** CPU seconds of each, in turn, so that what else the machine does falls on all. */
function tpe(trials: number, rounds: number): Record<string, unknown> {
  const seconds: Record<string, number[]> = {};
  for (let round = 0; round < rounds; round++) {
    for (const [name, run] of Object.entries(contestants)) {
      const { seconds: taken, version } = run(trials);
      (seconds[name] ??= []).push(taken);
      if (version !== undefined) versions[name] = version;
      console.log(`${trials} trials, ${name}: ${taken.toFixed(2)} s of CPU`);
    }
  }
  const medians = Object.fromEntries(Object.entries(seconds).map(([name, all]) => [name, median(all)]));
  return { trials, parameters: 10, seconds, median: medians, timesOptuna: medians['optuna']! / medians['qlora.js']! };
}

/** Trials a second of one worker after the other's answer: start, three parameters, two reports, end. */
async function trialsPerSecond(
  storage: Storage,
  close: () => Promise<void>,
  workers: number,
): Promise<Record<string, number>> {
  const options = {
    studyName: `s${workers}`,
    storage,
    sampler: new RandomSampler({ seed: 1 }),
    pruner: new NopPruner(),
  };
  const study = await createStudy({ ...options, logger: { info: () => undefined, warn: () => undefined } });
  const until = performance.now() + 3000;
  const begin = performance.now();
  let count = 0;
  while (performance.now() < until) {
    const trial = await study.ask();
    for (const name of ['a', 'b', 'c']) trial.suggestFloat(name, 0, 1);
    trial.report(1, 1);
    trial.report(2, 2);
    await study.tell(trial, 1);
    count++;
  }
  const seconds = (performance.now() - begin) / 1000;
  await close();
  // A start, three parameters, two reports and an end.
  return { trialsPerSecond: count / seconds, operationsPerSecond: (7 * count) / seconds };
}

const folder = mkdtempSync(join(tmpdir(), 'bench-hpo-'));
const server = await PostgresServer.start(cache);
try {
  const storages: Record<string, unknown> = {};
  storages['memory'] = await trialsPerSecond(new InMemoryStorage(), async () => undefined, 1);
  for (const [name, word] of [
    ['journal', join(folder, 'study.jsonl')],
    ['sqlite', `sqlite:///${join(folder, 'study.db')}`],
    ['postgresql', server.database('bench')],
  ] as const) {
    const { storage, close } = await openStorage(word);
    storages[name] = await trialsPerSecond(storage, close, 1);
    console.log(name, storages[name]);
  }
  const searches = [tpe(1000, turns), tpe(5000, 1)];
  versions['postgresql'] = server.version;
  const document = {
    command: `node --conditions=@qlora-js/source --import tsx tools/bench/hpo.ts ${turns}`,
    date: new Date().toISOString().slice(0, 10),
    machine: { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length },
    versions,
    tpe: searches,
    storages,
  };
  mkdirSync(join(root, RESULTS), { recursive: true });
  writeFileSync(join(root, RESULTS, 'hpo.json'), `${JSON.stringify(document, undefined, 2)}\n`);
} finally {
  server.stop();
  rmSync(folder, { recursive: true, force: true });
}
