import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Interval, Prediction, RunReport } from '@qlora-js/finetune';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openTerminal } from '../terminal/output';
import { defaultsOf } from '../options/spec';
import { PREDICT_OPTIONS } from '../options/predict-options';
import { TRAIN_OPTIONS, type TrainValues } from '../options/train-options';
import { evaluate, EVALUATE_OPTIONS } from './evaluate';
import { predict } from './predict';
import { train } from './train';

const data = (name: string): string => fileURLToPath(new URL(`../../../../docs/guide/${name}`, import.meta.url));
const output = openTerminal({ quiet: true, progress: false });

describe('data sets of different form', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tasks-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** Trains on one of the guide's data sets: the report, and the adapter's folder. */
  async function trained(name: string, values: Partial<TrainValues> = {}): Promise<[RunReport, string]> {
    const outputDir = join(folder, name);
    const report = await train(
      {
        ...defaultsOf(TRAIN_OPTIONS),
        ...{ data: data(name), outputDir, backend: 'wasm', seed: 0, learningRate: 3e-3, maxLength: 48 },
        ...{ numTrainEpochs: 4, evalSteps: 12, perDeviceTrainBatchSize: 8 },
        ...values,
      },
      { output },
    );
    return [report!, outputDir];
  }

  /** What a command prints. */
  async function printed(work: () => Promise<void>): Promise<unknown[]> {
    const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    try {
      await work();
      return log.mock.calls.map(([line]) => JSON.parse(line as string) as unknown);
    } finally {
      log.mockRestore();
    }
  }

  const asked = (adapter: string, texts: readonly string[], values: object = {}): Promise<unknown[]> =>
    printed(() =>
      predict(texts, { ...defaultsOf(PREDICT_OPTIONS), adapter, backend: 'wasm', json: true, ...values }, output),
    );

  const evaluated = async (adapter: string, name: string): Promise<unknown> =>
    (
      await printed(() =>
        evaluate({ ...defaultsOf(EVALUATE_OPTIONS), adapter, backend: 'wasm', json: true, data: data(name) }, output),
      )
    )[0];

  const config = async (adapter: string): Promise<unknown> =>
    JSON.parse(await readFile(join(adapter, 'config.json'), 'utf8'));

  it('one of three classes a text, from CSV', async () => {
    const [report, adapter] = await trained('feedback.csv');
    expect(report).toMatchObject({ task: 'single_label_classification', best_val: { metric: 'f1' } });
    expect(report.test!.confusion).toHaveLength(3);
    expect(await config(adapter)).toMatchObject({ problem_type: 'single_label_classification' });
    expect(await asked(adapter, ['What is the fee?'])).toEqual([
      { text: 'What is the fee?', labels: [{ label: 'question', probability: expect.any(Number) as number }] },
    ]);
    expect(await evaluated(adapter, 'feedback.csv')).toMatchObject({ rows: 108, task: 'single_label_classification' });
  });

  it('several tags a text, from JSON Lines', async () => {
    const [report, adapter] = await trained('tags.jsonl');
    expect(report).toMatchObject({ task: 'multi_label_classification', best_val: { metric: 'f1' } });
    expect([report.test!.confusion, report.test!.rows]).toEqual([undefined, 12]);
    expect(report.test!.labels!.map(({ label }) => label)).toEqual(['app', 'card', 'fee', 'urgent']);
    expect(report.test_f1).toBeGreaterThan(0.8);
    expect(report.baselines!.bag_of_words).toBeGreaterThan(0.5);
    expect(await config(adapter)).toMatchObject({
      problem_type: 'multi_label_classification',
      id2label: { 0: 'app', 1: 'card', 2: 'fee', 3: 'urgent' },
    });
    const texts = ['my card is blocked, and please answer today', 'thank you for your letter'];
    const tagged = async (values?: object): Promise<string[][]> =>
      ((await asked(adapter, texts, values)) as Prediction[]).map(({ labels }) => labels.map(({ label }) => label));
    const [both, none] = await tagged();
    expect([[...both!].sort(), none]).toEqual([['card', 'urgent'], []]);
    expect((await tagged({ threshold: 0 })).map(({ length }) => length)).toEqual([4, 4]);
    expect((await tagged({ topK: 1 }))[0]).toHaveLength(1);
    const scores = (await evaluated(adapter, 'tags.jsonl')) as { f1: Interval; labels: unknown[] };
    expect(scores.f1.estimate).toBeGreaterThan(0.8);
    expect(scores.labels).toHaveLength(4);
  });

  it('a number a text, from Parquet, on two threads', async () => {
    const [report, adapter] = await trained('ratings.parquet', { threads: 2 });
    expect(report).toMatchObject({ task: 'regression', test_accuracy: null, best_val_f1: null });
    expect(report.best_val).toMatchObject({ metric: 'mse', direction: 'minimize' });
    expect(Object.keys(report.test!.figures)).toEqual(['mse', 'mae', 'pearson', 'spearmanr']);
    expect(report.test!.figures['mse']!.estimate).toBeLessThan(report.baselines!.mean! / 2);
    expect(await config(adapter)).toMatchObject({ problem_type: 'regression', id2label: { 0: 'rating' } });
    const answers = await asked(adapter, ['The app was splendid and the branch good.', 'The staff was awful and the card poor.']); // prettier-ignore
    const [high, low] = (answers as { value: number; labels?: unknown }[]).map(({ value }) => value);
    expect(high! - low!).toBeGreaterThan(1);
    expect(JSON.stringify(answers)).not.toContain('labels');
    const scores = (await evaluated(adapter, 'ratings.parquet')) as Record<string, Interval>;
    expect(scores['pearson']!.estimate).toBeGreaterThan(0.8);
    expect(await readFile(join(adapter, 'README.md'), 'utf8')).toMatch(/^\| mse \| 0\.\d{4} \|/m);
  });
});
