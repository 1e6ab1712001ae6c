// Redraws the tables of docs/scale.md from bench/results/hpo.json and docs/verify/postgres.json.
// usage: node --conditions=@qlora-js/source --import tsx tools/bench/hpo-tables.ts
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { RESULTS } from './results';

const DOCUMENT = 'docs/scale.md';

interface Results {
  readonly machine: { readonly cpu: string; readonly cores: number };
  readonly versions: Readonly<Record<string, string>>;
  readonly tpe: readonly {
    readonly trials: number;
    readonly median: Readonly<Record<string, number>>;
    readonly timesOptuna: number;
  }[];
  readonly storages: Readonly<
    Record<string, { readonly trialsPerSecond: number; readonly operationsPerSecond: number }>
  >;
}

interface Storms {
  readonly figures: {
    readonly storms: Readonly<Record<string, Readonly<Record<string, number>>>>;
  };
}

const read = <T>(path: string): T => JSON.parse(readFileSync(path, 'utf8')) as T;
const results = read<Results>(join(RESULTS, 'hpo.json'));
const { figures } = read<Storms>('docs/verify/postgres.json');

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

const tables: Readonly<Record<string, string>> = {
  tpe: table(
    [
      'trials',
      'qlora.js, s',
      `Optuna ${results.versions['optuna']!}, s`,
      `Rustuna ${results.versions['rustuna']!}, s`,
      'times Optuna',
    ],
    results.tpe.map(({ trials, median, timesOptuna }) => [
      trials.toLocaleString('en'),
      ...['qlora.js', 'optuna', 'rustuna'].map((name) => median[name]!.toFixed(2)),
      timesOptuna.toFixed(1),
    ]),
  ),
  storages: table(
    ['storage', 'trials a second', 'operations a second'],
    Object.entries(results.storages).map(([name, { trialsPerSecond, operationsPerSecond }]) => [
      name,
      Math.round(trialsPerSecond).toLocaleString('en'),
      Math.round(operationsPerSecond).toLocaleString('en'),
    ]),
  ),
  storms: table(
    [
      'storage',
      'workers',
      'killed',
      'trials',
      'failed and repeated',
      'gone on with from a checkpoint',
      'complete',
      'seconds',
    ],
    Object.entries(figures.storms).map(([name, storm]) => [
      name,
      ...['workers', 'killed', 'trials', 'repeated', 'goneOnWith', 'complete'].map((key) => storm[key]!),
      storm['seconds']!.toFixed(0),
    ]),
  ),
};

let text = readFileSync(DOCUMENT, 'utf8');
for (const [name, drawn] of Object.entries(tables)) {
  const [from, to] = [`<!-- bench: ${name} -->`, `<!-- end: ${name} -->`];
  const [start, end] = [text.indexOf(from), text.indexOf(to)];
  if (start < 0 || end < start) throw new Error(`${DOCUMENT} has no place for the table '${name}'`);
  text = `${text.slice(0, start + from.length)}\n\n${drawn}\n\n${text.slice(end)}`;
}
for (const [path, content] of [
  [DOCUMENT, text],
  [join(RESULTS, 'hpo.json'), readFileSync(join(RESULTS, 'hpo.json'), 'utf8')],
] as const) {
  writeFileSync(path, await format(content, { ...(await resolveConfig(path)), filepath: path }));
}
