// Texts a second that `qlora predict` labels with the embedded base on wasm, start-up apart, by threads; and the whole command once.
// The best round is what the machine can do where other work on it is short.
// Writes bench/results/predict.json, where each version of Node keeps a row of its own.
// usage: npx tsx --conditions=@qlora-js/source tools/bench/predict.ts [ROUNDS]
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { bytesSource, loadTextDataset } from '@qlora-js/data';
import { generateBankingIntents } from '@qlora-js/data/banking';
import { fineTuneClassifier, loadTextClassifier } from '@qlora-js/finetune/node';
import { GPT2Tokenizer } from '@qlora-js/tokenize-gpt2';
import { embeddedBase } from '@qlora-js/finetune';
import { readResult, RESULTS } from './results';

const ROUNDS = Number(process.argv[2] ?? 5);
const TEXTS = 800;

/** A version of Node's measurements. */
interface PredictRun {
  readonly node: string;
  /** The machine's load before the run, over a minute. */
  readonly loadBefore: number;
  readonly texts: number;
  /** Tokens a text, on average. */
  readonly tokens: number;
  /** Texts a second, round by round. */
  readonly threads: readonly { readonly threads: number; readonly textsPerSecond: readonly number[] }[];
  /** Seconds of the whole command for the same texts, start-up and loading in it, with as many threads as there are cores. */
  readonly commandSeconds: number;
}

const loadBefore = loadavg()[0]!;
const folder = mkdtempSync(join(tmpdir(), 'predict-bench-'));
try {
  const { train, test } = generateBankingIntents({ seed: 0 });
  const rows = train.toRows().map(({ text, label }) => `"${text.replaceAll('"', '""')}",${label}`);
  const adapter = join(folder, 'adapter');
  // What the adapter says does not matter here, its shape does.
  const { dispose } = await fineTuneClassifier({
    data: await loadTextDataset(bytesSource(`text,label\n${rows.join('\n')}\n`, 'queries.csv'), { testShare: 0 }),
    backend: 'wasm',
    training: { maxSteps: 1, evalSteps: 1 },
    output: { folder: adapter },
    report: false,
  });
  await dispose();
  const texts = [...test.column('text'), ...train.column('text')].slice(0, TEXTS);
  const tokenizer = await GPT2Tokenizer.load(await embeddedBase());
  const { inputIds } = tokenizer.batch(texts);
  const tokens = inputIds.reduce((sum, ids) => sum + ids.length, 0) / texts.length;
  const counts = [1, 2, 4].filter((threads) => threads === 1 || threads <= availableParallelism());
  const lines: PredictRun['threads'][number][] = [];
  for (const threads of counts) {
    const classifier = await loadTextClassifier(adapter, { backend: 'wasm', threads });
    // The threads have loaded their copies once they have answered.
    await classifier.predict(texts);
    const textsPerSecond: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const started = performance.now();
      await classifier.predict(texts);
      textsPerSecond.push((1000 * texts.length) / (performance.now() - started));
    }
    // One device is open at a time.
    classifier.dispose();
    lines.push({ threads, textsPerSecond });
  }

  const input = join(folder, 'texts.txt');
  writeFileSync(input, texts.map((text) => text.replaceAll(/\s+/g, ' ')).join('\n'));
  const words = [
    'predict',
    '--adapter',
    adapter,
    '--backend',
    'wasm',
    '--threads',
    String(counts.at(-1)),
    '--input',
    input,
  ];
  const started = performance.now();
  const { status } = spawnSync(process.execPath, [...process.execArgv, 'packages/cli/src/main.ts', ...words]);
  if (status !== 0) throw new Error(`the command ended with status ${status}`);
  const run: PredictRun = {
    node: process.version,
    ...{ loadBefore, texts: texts.length, tokens },
    threads: lines,
    commandSeconds: (performance.now() - started) / 1000,
  };
  const machine = { processor: cpus()[0]!.model, cores: availableParallelism() };
  const before = readResult<{ machine: typeof machine; runs: PredictRun[] }>('predict.json');
  const kept =
    before?.machine.processor === machine.processor ? before.runs.filter(({ node }) => node !== run.node) : [];
  mkdirSync(RESULTS, { recursive: true });
  const runs = [...kept, run].sort((a, b) => a.node.localeCompare(b.node, 'en', { numeric: true }));
  writeFileSync(join(RESULTS, 'predict.json'), `${JSON.stringify({ machine, runs }, undefined, 1)}\n`);
  for (const { threads, textsPerSecond } of lines)
    console.log(
      `${threads} threads: ${Math.floor(Math.max(...textsPerSecond))} texts/s at best of ${ROUNDS}, ${tokens.toFixed(1)} tokens a text`,
    );
} finally {
  rmSync(folder, { recursive: true });
}
