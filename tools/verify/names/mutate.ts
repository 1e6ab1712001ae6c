import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execute } from '../commands';
import type { Verification } from '../verification';

const STRYKER = '9.6.1';
const PACKAGES = ['lora', 'quant', 'optim'];
const NEEDED = 80;

interface Score {
  /** Per cent of the changes that a test noticed, rounded down. */
  readonly score: number;
  readonly mutants: number;
  readonly detected: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly date: string;
}

type Scores = Record<string, Score>;

/**
 * Changes every line of lora, quant and optim in every way that Stryker knows and counts the changes that no test notices.
 * Nothing is left out but tests and their helpers: no file, no kind of change, no change at load time. Works in a copy of
 * the checkout, on cpu and wasm alone, since the software GPU would take days. Arguments: packages, default all three.
 * The changes that survive lie in the package's reports/survivors.txt; the scores go to docs/testing.md.
 */
export default {
  summary: 'at least 80 % of all changes to lora, quant and optim are noticed by a test (Stryker; takes hours)',
  run: async ({ root, args, cache, log }) => {
    const chosen = args.length === 0 ? PACKAGES : args;
    const unknown = chosen.find((name) => !PACKAGES.includes(name));
    if (unknown !== undefined) throw new Error(`'${unknown}' is none of ${PACKAGES.join(', ')}`);
    const result = join(cache, 'result.json');
    execute(process.execPath, [join(root, 'tools/verify/mutate/run.mjs'), result, STRYKER, '1', ...chosen]);
    const date = new Date().toISOString().slice(0, 10);
    const found = JSON.parse(readFileSync(result, 'utf8')) as Scores;
    const before = join(root, 'docs/verify/mutate.json');
    const kept = existsSync(before) ? (JSON.parse(readFileSync(before, 'utf8')) as { figures: Scores }).figures : {};
    const figures: Scores = {};
    for (const name of PACKAGES) {
      const score = chosen.includes(name) ? { ...found[name]!, date } : kept[name];
      if (score !== undefined) figures[name] = score;
    }
    for (const [name, { score, mutants }] of Object.entries(figures))
      log(`${name}: ${score} % of ${mutants} changes noticed`);
    writeTable(root, figures);
    const passed = chosen.filter((name) => figures[name]!.score >= NEEDED).length;
    return { passed, failed: chosen.length - passed, versions: { stryker: STRYKER }, figures };
  },
} satisfies Verification;

/** Puts the scores between the marks of docs/testing.md. */
function writeTable(root: string, scores: Scores): void {
  const path = join(root, 'docs/testing.md');
  const [start, end] = ['<!-- mutation scores: begin -->', '<!-- mutation scores: end -->'];
  const text = readFileSync(path, 'utf8');
  const rows = Object.entries(scores).map(
    ([name, { score, mutants, detected, date }]) => `| ${name} | ${mutants} | ${detected} | ${score} % | ${date} |`,
  );
  const table = ['| package | changes | noticed | score | date |', '| --- | --- | --- | --- | --- |', ...rows].join(
    '\n',
  );
  const [before, after] = [text.slice(0, text.indexOf(start) + start.length), text.slice(text.indexOf(end))];
  writeFileSync(path, `${before}\n\n${table}\n\n${after}`);
  execute(join(root, 'node_modules/.bin/prettier'), ['--write', '--log-level', 'warn', path]);
}
