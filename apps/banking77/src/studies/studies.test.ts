import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadTextDataset } from '@qlora-js/data';
import { openData } from '@qlora-js/data/node';
import { openBase, SILENT } from '@qlora-js/finetune';
import { findBase } from '@qlora-js/finetune/node';
import { memoryFiles, serializeSafetensors, type ModelFiles } from '@qlora-js/hub';
import { openDevice } from '@qlora-js/kernels';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TINY, tinyTensors } from '../../../../tools/test/tiny-gpt2';
import { OVERFITTING, stoppedEarly } from './overfitting';
import { QUANTIZATION } from './quantization';
import { isSignificant, meanInterval, pairedDifference } from './statistics';
import { inShard, parseShard } from './shard';
import { doTrainings, readRows, rowsOf, type CurvePoint, type TrainingRow } from './training-rows';
import { search, TRIALS_STUDY } from './trials';

const SIZE = { seeds: [1, 2, 3], trainings: 24, epochs: 4, rows: 100 };

const curve = (losses: readonly number[], scores: readonly number[]): CurvePoint[] =>
  losses.map((eval_loss, i) => ({
    ...{ step: 10 * (i + 1), epoch: i + 1, loss: eval_loss - 0.1 * i, eval_loss },
    ...{ eval_accuracy: scores[i]!, eval_f1: scores[i]! },
  }));

const row = (name: string, seed: number, f1: number, more: Partial<TrainingRow> = {}): TrainingRow => ({
  ...{ name, seed, parameters: {}, curve: curve([3, 2, 2.5, 2.6], [0.1, 0.3, 0.2, 0.4]) },
  test: { accuracy: f1, f1, loss: 1 },
  ...{ seconds: 1, tokensPerSecond: 100, memoryGib: 0.5, figures: {}, machine: 'made up', ...more },
});

describe('statistics', () => {
  it("give Student's interval of few values", () => {
    // scipy.stats.t.interval(0.95, 2, loc=2, scale=1/sqrt(3))
    const { estimate, low, high } = meanInterval([1, 2, 3]);
    expect(estimate).toBe(2);
    expect(low).toBeCloseTo(-0.484, 3);
    expect(high).toBeCloseTo(4.484, 3);
    expect(meanInterval([5])).toEqual({ estimate: 5, low: -Infinity, high: Infinity });
  });

  it('call a difference significant where its pairs agree, whatever the values do', () => {
    expect(isSignificant(pairedDifference([0.5, 0.9, 0.1], [0.4, 0.8, 0.01]))).toBe(true);
    expect(isSignificant(pairedDifference([0.5, 0.9, 0.1], [0.4, 0.95, 0.1]))).toBe(false);
    expect(isSignificant(meanInterval([1]))).toBe(false);
  });
});

describe('what the studies find in their rows', () => {
  it('quantization: differences by seed from the base in float32', async () => {
    const rows = [1, 2, 3].flatMap((seed) => [
      row('none', seed, 0.8 + seed / 100, { figures: { bits_per_parameter: 32, perplexity: 20.5 } }),
      row('NF4', seed, 0.79 + seed / 100 + seed / 10_000, { tokensPerSecond: null }),
      row('FP4', seed, 0.7 + seed / 10, { tokensPerSecond: seed === 2 ? null : 100 * seed }),
    ]);
    const { table, findings, chart } = await QUANTIZATION.outcome(rows);
    expect(findings).toContain('NF4: -0.0098 (-0.0100 to -0.0096), a significant difference.');
    expect(findings).toMatch(/FP4: 0\.0800 .* no significant difference\./);
    expect(table.split('\n')[2]).toMatch(
      /^\| none \| 0\.8200 .* \| not available \| 20\.50 \| 32\.000 \| 0\.500 \| 100 \|$/,
    );
    expect(table.split('\n')[3]).toMatch(/^\| NF4 .* \| 0\.500 \| not available \|$/);
    expect(table.split('\n')[4]).toMatch(/^\| FP4 .* \| 0\.500 \| 200 \|$/);
    expect(chart.rows.map(({ name }) => name)).toEqual(['NF4', 'FP4']);
  });

  it('overfitting: early stopping ends two epochs after the lowest loss, and costs what came later', async () => {
    expect(stoppedEarly(curve([3, 2, 2.5, 2.6, 1], [0.1, 0.3, 0.2, 0.3, 0.9]))).toEqual({
      epochs: 4,
      lost: 0.6000000000000001,
    });
    expect(stoppedEarly(curve([3, 2, 1], [0.1, 0.2, 0.3]))).toEqual({ epochs: 3, lost: 0 });
    const planned = await OVERFITTING.plan(SIZE);
    expect(planned).toHaveLength(15);
    expect(planned[0]!.options.training).toMatchObject({ evalSteps: 7, loggingSteps: 7, numTrainEpochs: 4 });
    const { table, findings } = await OVERFITTING.outcome(planned.map(({ name, seed }) => row(name, seed, 0.5)));
    expect(table).toContain('| 4 | 0.300 (0.300 to 0.300) |');
    expect(findings).toContain('saves 0.0 (0.0 to 0.0) of 4 epochs');
  });

  it('trials: a search over the table finds no better than its best, and pruning costs less', async () => {
    const planned = await TRIALS_STUDY.plan(SIZE);
    expect(new Set(planned.map(({ options }) => options.training!.learningRate)).size).toBe(24);
    const rows = planned.map(({ name, seed, options }, i) =>
      row(name, seed, i / 100, {
        parameters: { ...(options.training as Record<string, number>) },
        curve: curve([1, 1, 1, 1], [i / 400, i / 300, i / 200, i / 100]),
      }),
    );
    const whole = await search(rows, { trials: 24, sampler: 'random', pruned: false, seed: 0 });
    expect(whole).toEqual({ f1: 0.23, steps: 24 });
    const pruned = await search(rows, { trials: 24, sampler: 'TPE', pruned: true, seed: 1 });
    expect(pruned.steps).toBeLessThan(24);
    expect(pruned.f1).toBeGreaterThan(0.1);
  });
});

describe('shards', () => {
  it('share the trainings: each falls to one', () => {
    const trainings = [0, 1, 2, 3, 4, 5, 6];
    const shards = [1, 2, 3].map((index) => inShard(trainings, parseShard(`${index}/3`)));
    expect(shards).toEqual([
      [0, 3, 6],
      [1, 4],
      [2, 5],
    ]);
    expect(inShard(trainings, parseShard(undefined))).toEqual(trainings);
    for (const text of ['0/3', '4/3', '1', '1/0', 'a/b'])
      expect(() => parseShard(text)).toThrow(`--shard is K/N with 1 <= K <= N, as in 2/4, not "${text}"`);
  });
});

describe('trainings of a study', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'studies-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** A dense GPT-2 of two small blocks, with the embedded base's tokenizer. */
  async function tinyBase(): Promise<ModelFiles> {
    const base = await findBase(undefined, { padding: { maxLength: 32, paddingSide: 'right' } });
    const config = {
      ...TINY,
      vocab_size: 50257,
      n_positions: 64,
      n_embd: 64,
      bos_token_id: 50256,
      eos_token_id: 50256,
    };
    return memoryFiles('tiny', {
      ...base.tokenizer.save(),
      'config.json': JSON.stringify(config),
      'model.safetensors': serializeSafetensors(tinyTensors(config).values()),
    });
  }

  it('are done once: a study that was stopped goes on after the rows it has', async () => {
    const csv = join(folder, 'data.csv');
    const texts = Array.from({ length: 24 }, (_, i) => `${i % 2 === 0 ? 'lost card' : 'rate of euros'} ${i},${i % 2}`);
    writeFileSync(csv, `text,label\n${texts.join('\n')}\n`);
    const device = await openDevice({ backend: 'wasm' });
    const padding = { maxLength: 32, paddingSide: 'right' } as const;
    const material = {
      base: await openBase(await tinyBase(), { padding }),
      data: await loadTextDataset(await openData(csv), { validation: 0.2, testShare: 0.2, seed: 0 }),
      ...{ device, output: SILENT },
      shared: true,
      common: { padding: { maxLength: 32 }, training: { maxSteps: 1, evalSteps: 1, perDeviceTrainBatchSize: 4 } },
    } as const;
    const file = join(folder, 'quantization.jsonl');
    const planned = [...(await QUANTIZATION.plan({ ...SIZE, seeds: [1] }))].filter(({ name }) =>
      /^(none|FP4)$/.test(name),
    );
    await doTrainings(inShard(planned, { index: 1, count: 2 }), file, material);
    expect(rowsOf(planned, file).map(({ name }) => name)).toEqual(['none']);
    const first = readRows(file);
    // Others share the machine, so what it did in a second says nothing.
    expect(first[0]!.tokensPerSecond).toBeNull();
    expect(first[0]!.figures).toMatchObject({ bits_per_parameter: 32 });
    expect(first[0]!.figures['weight_rmse']).toBe(0);
    expect(first[0]!.figures['perplexity']).toBeGreaterThan(10);
    writeFileSync(file, `${readFileSync(file, 'utf8')}{"name": "FP4", "se`);
    expect(readRows(file)).toEqual(first);
    writeFileSync(file, `${JSON.stringify(first[0])}\n`);
    await doTrainings(planned, file, material);
    const rows = rowsOf(planned, file);
    expect(rows[0]).toEqual(first[0]);
    expect(rows.map(({ name }) => name)).toEqual(['none', 'FP4']);
    expect(rows[1]!.figures['bits_per_parameter']).toBeCloseTo(4.5 + (8 * 512) / (2 * 12 * 64 ** 2), 6);
    expect(rows[1]!.figures['weight_rmse']).toBeGreaterThan(0.05);
    expect(rows[1]!.figures['weight_rmse']).toBeLessThan(0.2);
    expect(rows[1]!.curve).toHaveLength(1);
    const embedded = { ...material, base: await findBase(undefined, { padding }) };
    await expect(doTrainings(planned.slice(0, 1), join(folder, 'other.jsonl'), embedded)).rejects.toThrow(
      /stored in 4 bits: name a base in 16 or 32 bits with --base/,
    );
    device.dispose();
  }, 200_000);
});
