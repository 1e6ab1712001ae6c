import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_OPTIONS, type RunOptions } from '../cli/options';
import type { Output } from '../terminal/output';
import { predictTexts } from './predict';
import { run } from './run';

const BUILT = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const BASE = fileURLToPath(new URL('../../../../packages/base-mini/weights', import.meta.url));

interface Captured extends Output {
  readonly lines: string[];
}

function capture(): Captured {
  const lines: string[] = [];
  const keep = (text = ''): void => void lines.push(text);
  return {
    lines,
    section: (title) => keep(`== ${title}`),
    line: keep,
    warn: (text) => keep(`warning: ${text}`),
    bar: () => ({ update: () => undefined, stop: () => undefined }),
  };
}

/** Three intents that words tell apart, in the layout of Banking77. */
async function writeData(folder: string): Promise<void> {
  const phrases: Record<string, string[]> = {
    card_lost: [
      'my card is lost',
      'i lost the card',
      'card was stolen',
      'somebody stole my card',
      'cannot find my card',
    ],
    exchange_rate: [
      'what is the exchange rate',
      'rate for dollars',
      'how many euros for a pound',
      'exchange rate of yen',
      'currency rate today',
    ],
    change_pin: [
      'change my pin',
      'i want a new pin',
      'pin must be changed',
      'set another pin code',
      'how to change the pin',
    ],
  };
  const rows = (endings: string[]): string =>
    [
      'text,category',
      ...Object.entries(phrases).flatMap(([label, texts]) =>
        texts.flatMap((text) => endings.map((ending) => `"${text}${ending}",${label}`)),
      ),
    ].join('\n');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'categories.json'), JSON.stringify(Object.keys(phrases)));
  await writeFile(join(folder, 'train.csv'), rows(['', ' please', ', thanks']));
  await writeFile(join(folder, 'test.csv'), rows([' now']));
}

describe('the pipeline on the embedded base', () => {
  let folder: string;
  let options: RunOptions;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pipeline-'));
    await writeData(join(folder, 'data'));
    options = {
      ...DEFAULT_OPTIONS,
      data: join(folder, 'data'),
      backend: 'wasm',
      outputDir: join(folder, 'out'),
      reportJson: join(folder, 'report.json'),
      maxLength: 32,
      seed: 0,
      testSize: 0.2,
      trials: 2,
      searchSpace: 'small',
      evalSteps: 5,
      loggingSteps: 5,
      progress: false,
    };
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('searches, trains, evaluates, saves, compares, gives its memory back, and predicts from what it saved', async () => {
    const output = capture();
    const report = await run(options, output);
    expect(report.test_accuracy).toBeGreaterThan(0.8);
    expect(report.rows).toEqual({ train: 36, validation: 9, test: 15 });
    expect(report.search?.trials.map(({ state }) => state)).toHaveLength(2);
    expect(report.manual_forward).toMatchObject({
      inputIdsShape: [1, 32],
      attentionMaskShape: [1, 32],
      outputKeys: ['loss', 'logits'],
      logitsShape: [1, 3],
    });
    expect(report.baselines.majority_class).toBeCloseTo(1 / 3, 10);
    expect(report.epochs.length).toBe(report.parameters.numTrainEpochs);
    expect(JSON.parse(await readFile(options.reportJson!, 'utf8'))).toMatchObject({
      test_accuracy: report.test_accuracy,
      test_f1: report.test_f1,
      versions: { node: process.version },
    });
    const sections = output.lines.filter((line) => line.startsWith('== ')).map((line) => line.slice(3));
    expect(sections).toEqual([
      'Environment',
      'Data',
      'Model',
      'Search: 2 trials',
      'Final training',
      'A forward pass by hand',
      'Test',
      'Saving',
      'Comparison',
    ]);
    expect(
      output.lines.some((line) => /^trainable params: [\d,]+ \|\| all params: [\d,]+ \|\| trainable%: \d/.test(line)),
    ).toBe(true);
    expect(output.lines.filter((line) => line.includes('were not given back'))).toEqual([]);
    expect(await readdir(options.outputDir)).toEqual(
      expect.arrayContaining([
        'README.md',
        'adapter_config.json',
        'adapter_model.safetensors',
        'merges.txt',
        'tokenizer_config.json',
        'vocab.json',
      ]),
    );

    const texts = ['i think my card is lost', 'please tell me the exchange rate'];
    const predictions = await predictTexts(
      { adapter: options.outputDir, backend: 'wasm', texts, topK: 2, json: false },
      capture(),
    );
    expect(predictions.map(({ labels }) => labels[0]!.label)).toEqual(['card_lost', 'exchange_rate']);
    expect(predictions[0]!.labels[0]!.probability).toBeGreaterThan(predictions[0]!.labels[1]!.probability);
  });

  it('shares batches out to two threads in search and final training, to the same figures each time', async () => {
    const twice = [];
    for (const name of ['first', 'second']) {
      const output = capture();
      const outputDir = join(folder, name);
      const report = await run(
        { ...options, threads: 2, trials: 1, numTrainEpochs: 2, searchEpochs: 1, outputDir },
        output,
      );
      expect(output.lines.filter((line) => line.startsWith('threads: 2'))).toHaveLength(1);
      expect(output.lines.filter((line) => line.includes('were not given back'))).toEqual([]);
      expect(report.environment['threads']).toBe(2);
      twice.push([report.test_loss, report.train_loss, report.search?.bestValue]);
    }
    expect(twice[1]).toEqual(twice[0]);
  });

  // `npm test` builds first; the threads' module has another name there than among the sources.
  it.skipIf(!existsSync(BUILT))('shares batches out in the built app, and ends', () => {
    const words = `--data ${join(folder, 'data')} --output-dir ${join(folder, 'built')} --backend wasm --max-length 32`;
    const more = '--threads 2 --trials 0 --num-train-epochs 1 --no-progress';
    const { status, stdout, stderr } = spawnSync(process.execPath, [BUILT, ...words.split(' '), ...more.split(' ')], {
      encoding: 'utf8',
    });
    expect(stderr).not.toContain('error');
    expect(stdout).toContain('threads: 2, each with a copy of the model');
    expect(stdout).toMatch(/^test_accuracy 0\.\d+/m);
    expect(status).toBe(0);
  });

  const failing = async (changed: Partial<RunOptions>): Promise<string> =>
    run({ ...options, trials: 0, outputDir: join(folder, 'never'), ...changed }, capture()).then(
      () => 'no error',
      (error: Error) => error.message,
    );

  it('stops before any work at a base that is not there, is cut short, or has another vocabulary', async () => {
    expect(await failing({ base: join(folder, 'nowhere') })).toContain('nowhere');
    const broken = join(folder, 'broken');
    await mkdir(broken);
    for (const name of ['config.json', 'merges.txt', 'vocab.json', 'model.safetensors'])
      await writeFile(join(broken, name), await readFile(join(BASE, name)));
    await truncate(join(broken, 'model.safetensors'), 100_000);
    expect(await failing({ base: broken })).toContain('model.safetensors');
    await writeFile(join(broken, 'vocab.json'), '{"a": 0, "b": 1}');
    expect(await failing({ base: broken })).toMatch(/vocab|merge/);
  });

  it('stops at a label outside the map, at an empty text, and names the row', async () => {
    const data = join(folder, 'bad');
    await writeData(data);
    await writeFile(join(data, 'train.csv'), 'text,category\nhello,card_lost\nwhere is it,card_lots\n');
    expect(await failing({ data })).toMatch(/train\.csv, line 3: unknown label "card_lots"/);
    await writeFile(join(data, 'train.csv'), 'text,category\nhello,card_lost\n"",card_lost\n');
    expect(await failing({ data })).toMatch(/train\.csv, line 3: the text is empty/);
  });

  it('stops at a maximum length over the positions and at a folder it cannot write', async () => {
    expect(await failing({ maxLength: 512 })).toContain('--max-length 512 is over the 256 positions');
    const underFile = join(folder, 'report.json', 'out');
    expect(await failing({ outputDir: underFile })).toContain(underFile);
  });
});
