import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openDevice, type Device } from '@qlora-js/kernels';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { trainingArguments } from '../arguments/training-arguments';
import type { TrainingArguments } from '../arguments/types';
import type { TrainerCallback } from '../callbacks/callback';
import { EarlyStoppingCallback } from '../callbacks/early-stopping';
import { MemoryCheckpoints } from '../checkpoints/store';
import { sequenceClassifier } from '../model/sequence-classifier';
import type { LogRow } from '../state/trainer-state';
import { collator, PAD, tinyClassifier, tinyRows } from '../testing/tiny-classifier';
import { Trainer } from './trainer';

type Row = Readonly<Record<string, number | null>>;

/** What tools/python/golden_trainer.py has recorded of a run. */
interface GoldenRun {
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly events: readonly string[];
  readonly log: readonly Row[];
  readonly log_keys: readonly (readonly string[])[];
  readonly rates: readonly { readonly split: string; readonly samples: number; readonly steps: number }[];
  readonly states: Readonly<Record<string, Readonly<Record<string, unknown>> & { readonly keys: readonly string[] }>>;
}

const golden = JSON.parse(
  readFileSync(fileURLToPath(new URL('../../test/golden-trainer.json', import.meta.url)), 'utf8'),
) as { rows: number; eval_rows: number; scripted: number[]; runs: Record<string, GoldenRun> };

const camel = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
const python = (event: string): string => event.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const EVENTS = [
  'onTrainBegin',
  'onEpochBegin',
  'onStepBegin',
  'onSubstepEnd',
  'onPreOptimizerStep',
  'onOptimizerStep',
  'onStepEnd',
  'onLog',
  'onPredictionStep',
  'onEvaluate',
  'onPredict',
  'onSave',
  'onEpochEnd',
  'onTrainEnd',
] as const;

describe("transformers' Trainer on the same run", () => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice({ backend: 'wasm' });
  });
  afterAll(() => device.dispose());

  it.each(Object.entries(golden.runs))('%s: events, log and trainer_state.json', async (name, recorded) => {
    const events: string[] = [];
    const recorder: TrainerCallback = Object.fromEntries(
      EVENTS.map((event) => [event, () => void events.push(python(event))]),
    );
    const scripted = golden.scripted[Symbol.iterator]();
    const checkpoints = new MemoryCheckpoints();
    const options = Object.fromEntries(Object.entries(recorded.arguments).map(([key, value]) => [camel(key), value]));
    const model = tinyClassifier();
    const trainer = new Trainer({
      model: sequenceClassifier(model, { padTokenId: PAD }),
      args: trainingArguments({
        outputDir: 'out',
        learningRate: 1e-3,
        numTrainEpochs: 2,
        ...(options as Partial<TrainingArguments>),
      }),
      trainDataset: tinyRows(golden.rows),
      evalDataset: tinyRows(golden.eval_rows, 1),
      collator: collator(),
      checkpoints,
      callbacks: [
        recorder,
        ...(name === 'early stopping'
          ? [new EarlyStoppingCallback({ earlyStoppingPatience: 2, earlyStoppingThreshold: 0.05 })]
          : []),
      ],
      computeMetrics: (): Record<string, number> =>
        ['best', 'early stopping'].includes(name) ? { scripted: scripted.next().value! } : {},
      log: () => undefined,
    });
    await trainer.train();
    events.push('predict');
    if (name === 'defaults') await trainer.predict(tinyRows(golden.eval_rows, 1));

    expect(events).toEqual(recorded.events);
    const { logHistory } = trainer.state;
    expect(logHistory.map((row) => Object.keys(row))).toEqual(recorded.log_keys);
    logHistory.forEach((row, index) => expectSame(row, recorded.log[index]!, `row ${index}`));
    const rates = recorded.rates.filter(({ split }) => split !== 'test');
    const rows = logHistory.flatMap((row) => {
      const prefix = ['train', 'eval'].find((split) => row[`${split}_runtime`] !== undefined);
      return prefix === undefined ? [] : [{ row, prefix }];
    });
    expect(rows.map(({ prefix }) => prefix)).toEqual(rates.map(({ split }) => split));
    rows.forEach(({ row, prefix }, index) => {
      // Rounded run times leave some parts in a hundred.
      const seconds = row[`${prefix}_runtime`]!;
      expect((row[`${prefix}_samples_per_second`]! * seconds) / rates[index]!.samples).toBeCloseTo(1, 1);
      expect((row[`${prefix}_steps_per_second`]! * seconds) / rates[index]!.steps).toBeCloseTo(1, 1);
    });
    expect([...checkpoints.saved.keys()].sort()).toEqual(Object.keys(recorded.states).sort());
    for (const [checkpoint, { keys, ...wanted }] of Object.entries(recorded.states)) {
      const file = checkpoints.saved.get(checkpoint)!.get('trainer_state.json')!;
      const state = JSON.parse(Buffer.from(file).toString()) as Record<string, unknown>;
      expect(Object.keys(state)).toEqual(keys);
      expect(state, checkpoint).toMatchObject(wanted);
    }
    model.dispose();
  });
});

function expectSame(row: LogRow, wanted: Row, place: string): void {
  for (const [key, value] of Object.entries(wanted)) {
    if (value === null) expect(row[key], `${place}: ${key}`).toBeGreaterThan(0);
    else expect(row[key], `${place}: ${key}`).toBeCloseTo(value, 12);
  }
}
