import { DataCollatorForLanguageModeling, DataCollatorWithPadding, Dataset, packRows, type Task } from '@qlora-js/data';
import { loadGpt2ForSequenceClassification, loadGpt2LMHeadModel } from '@qlora-js/gpt2';
import { folderFiles } from '@qlora-js/hub/node';
import { openDevice, type Device } from '@qlora-js/kernels';
import { getPeftModel, loraConfig } from '@qlora-js/lora';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goldenPath } from '../../../../tools/test/golden';
import { trainingArguments } from '../arguments/training-arguments';
import type { TrainingArguments } from '../arguments/types';
import type { EvalPrediction } from '../evaluation/prediction';
import { causalLanguageModel } from '../model/causal-language-model';
import { weightedBinaryCrossEntropy } from '../model/losses';
import { sequenceClassifier } from '../model/sequence-classifier';
import type { TrainableModel } from '../model/trainable-model';
import type { PreparedDataset, TrainerOptions } from './options';
import { Trainer } from './trainer';

const PAD = 210;
const base = await folderFiles(goldenPath('training/base'));
const ARGUMENTS: Partial<TrainingArguments> = {
  learningRate: 1e-2,
  perDeviceTrainBatchSize: 4,
  perDeviceEvalBatchSize: 3,
  numTrainEpochs: 8,
  evalStrategy: 'epoch',
  loggingSteps: 1,
  disableTqdm: true,
};

let device: Device;
beforeAll(async () => {
  device = await openDevice({ backend: 'wasm' });
});
afterAll(() => device.dispose());

async function head(problemType: Task, numLabels: number): Promise<TrainableModel> {
  const { model } = await loadGpt2ForSequenceClassification(base, { numLabels });
  const config = loraConfig({ r: 4, loraAlpha: 8, targetModules: ['c_attn', 'c_proj'], taskType: 'SEQ_CLS' });
  return sequenceClassifier(getPeftModel(model, config), { padTokenId: PAD, problemType });
}

async function languageModel(): Promise<TrainableModel> {
  const { model } = await loadGpt2LMHeadModel(base, {
    config: { attnPdrop: 0, residPdrop: 0, embdPdrop: 0 },
  });
  const config = loraConfig({ r: 4, loraAlpha: 8, targetModules: ['c_attn', 'c_proj'], taskType: 'CAUSAL_LM' });
  return causalLanguageModel(getPeftModel(model, config), { padTokenId: PAD });
}

function trainerOf(
  model: TrainableModel,
  dataset: PreparedDataset,
  options: Partial<TrainerOptions<never>> & { readonly extra?: Partial<TrainingArguments> },
): Trainer {
  const { extra, ...rest } = options;
  return new Trainer({
    model,
    args: trainingArguments({ outputDir: 'unused', ...ARGUMENTS, ...extra }),
    trainDataset: dataset,
    evalDataset: dataset,
    collator: new DataCollatorWithPadding({ padTokenId: PAD }),
    log: () => undefined,
    ...(rest as object),
  });
}

/** Rows of which token 3 says the first label, token 4 the second. */
const several = Dataset.fromRows(
  Array.from({ length: 12 }, (_, i) => ({
    input_ids: [10 + i, i % 2 === 0 ? 3 : 5, 20, i % 3 === 0 ? 4 : 6].slice(0, 4 - (i % 2) + (i % 3 === 0 ? 1 : 0)),
    label: [i % 2 === 0 ? 1 : 0, i % 3 === 0 ? 1 : 0],
  })),
);
const numbers = Dataset.fromRows(
  several.toRows().map(({ input_ids, label }) => ({ input_ids, label: 2 * label[0]! - 0.5 * label[1]! })),
);
const texts = Dataset.fromRows(
  Array.from({ length: 10 }, (_, i) => ({
    input_ids: [7, 8, 9, 20 + i].slice(0, 3 + (i % 2)),
    labels: [-100, 8, 9, 20 + i].slice(0, 3 + (i % 2)),
  })),
);

describe('several labels a row', () => {
  const collator = new DataCollatorWithPadding({ padTokenId: PAD, problemType: 'multi_label_classification' });

  it('are learnt, measured, and predicted in the order of the rows', async () => {
    const trainer = trainerOf(await head('multi_label_classification', 2), several, { collator });
    await trainer.train();
    const [first, ...later] = trainer.state.logHistory.filter((row) => 'eval_loss' in row);
    const last = later.at(-1)!;
    expect(Object.keys(last).slice(0, 4)).toEqual(['eval_loss', 'eval_accuracy', 'eval_f1', 'eval_f1_macro']);
    expect(last['eval_loss']).toBeLessThan(first!['eval_loss']! / 2);
    expect(last['eval_f1']).toBeGreaterThan(0.9);
    const { predictions, labelIds, numLabels, metrics } = await trainer.predict(several);
    expect([numLabels, predictions.length]).toEqual([2, 24]);
    expect(labelIds).toEqual(Float32Array.from(several.column('label').flat()));
    const right = several
      .column('label')
      .filter((label, row) => label.every((set, i) => (predictions[2 * row + i]! > 0 ? 1 : 0) === set));
    expect(metrics['test_accuracy']).toBe(right.length / 12);
    expect((await trainer.evaluation()).confusion).toBeUndefined();
  });

  it('count by weights of their own, and by metrics of one’s own', async () => {
    const seen: EvalPrediction[] = [];
    const options = {
      collator,
      extra: { numTrainEpochs: 1, perDeviceTrainBatchSize: 12 },
      computeMetrics: (prediction: EvalPrediction) => {
        seen.push(prediction);
        return { first: prediction.predictions[0]! };
      },
    };
    const plain = trainerOf(await head('multi_label_classification', 2), several, options);
    const weighted = trainerOf(await head('multi_label_classification', 2), several, {
      ...options,
      computeLoss: weightedBinaryCrossEntropy([4, 4]),
    });
    await plain.train();
    await weighted.train();
    const loss = ({ state }: Trainer): number => state.logHistory[0]!['loss']!;
    expect(loss(weighted)).toBeGreaterThan(1.2 * loss(plain));
    expect(plain.state.logHistory.at(-2)).toMatchObject({ eval_first: seen[0]!.predictions[0] });
    expect(seen[0]!.labelIds).toEqual(Float32Array.from(several.column('label').flat()));
  });
});

it('numbers are learnt and measured', async () => {
  const collator = new DataCollatorWithPadding({ padTokenId: PAD, problemType: 'regression' });
  const trainer = trainerOf(await head('regression', 1), numbers, { collator });
  await trainer.train();
  const last = trainer.state.logHistory.findLast((row) => 'eval_loss' in row)!;
  expect(Object.keys(last).slice(0, 5)).toEqual([
    'eval_loss',
    'eval_mse',
    'eval_mae',
    'eval_pearson',
    'eval_spearmanr',
  ]);
  expect(last['eval_mse']).toBeCloseTo(last['eval_loss']!, 5);
  expect(last['eval_pearson']).toBeGreaterThan(0.9);
});

describe('a language model', () => {
  const collator = new DataCollatorForLanguageModeling({ padTokenId: PAD });

  it('learns what follows, and its evaluation is the perplexity', async () => {
    const trainer = trainerOf(await languageModel(), texts, { collator });
    await trainer.train();
    const evaluations = trainer.state.logHistory.filter((row) => 'eval_loss' in row);
    const last = evaluations.at(-1)!;
    expect(Object.keys(last).slice(0, 2)).toEqual(['eval_loss', 'eval_perplexity']);
    expect(last['eval_perplexity']).toBeCloseTo(Math.exp(last['eval_loss']!), 10);
    expect(last['eval_perplexity']).toBeLessThan(evaluations[0]!['eval_perplexity']! / 4);
    await expect(trainer.predict(texts)).rejects.toThrow(/a language model's logits are not kept/);
  });

  it('learns the same from texts packed into rows, and from any split into micro-batches', async () => {
    const losses = async (dataset: PreparedDataset, extra: Partial<TrainingArguments>): Promise<number[]> => {
      const trainer = trainerOf(await languageModel(), dataset, {
        collator,
        extra: { evalStrategy: 'no', maxSteps: 2, ...extra },
      });
      await trainer.train();
      return trainer.state.logHistory.flatMap((row) => row['loss'] ?? []);
    };
    // All texts in every step, so that their order says nothing.
    const whole = await losses(texts, { perDeviceTrainBatchSize: 10 });
    const split = await losses(texts, { perDeviceTrainBatchSize: 3, gradientAccumulationSteps: 4 });
    const packed = packRows(texts, { maxLength: 8 });
    expect(packed.numRows).toBe(5);
    const joined = await losses(packed, { perDeviceTrainBatchSize: 5 });
    whole.forEach((loss, step) => {
      expect(split[step]).toBeCloseTo(loss, 4);
      expect(joined[step]).toBeCloseTo(loss, 4);
    });
  });
});

describe('what does not go together', () => {
  it.each([
    [{ extra: { labelSmoothingFactor: 0.1 } }, /labelSmoothingFactor means nothing where a model learns regression/],
  ])('%j', async (options, message) => {
    const model = await head('regression', 1);
    expect(() => trainerOf(model, numbers, options)).toThrow(message);
  });

  it('labels of another kind, or of another number', async () => {
    const trainer = trainerOf(await head('regression', 1), numbers, {});
    await expect(trainer.train()).rejects.toThrow(/label must be a label's id, got 1.5/);
    const ids = Dataset.fromRows([
      { input_ids: [1, 3], label: 0 },
      { input_ids: [2, 3], label: 1 },
    ]);
    await expect(trainerOf(await head('regression', 1), ids, {}).train()).rejects.toThrow(
      /labels are ids, but the model learns regression; give the collator problemType: 'regression' too/,
    );
    const collator = new DataCollatorWithPadding({ padTokenId: PAD, problemType: 'multi_label_classification' });
    await expect(trainerOf(await head('multi_label_classification', 3), several, { collator }).train()).rejects.toThrow(
      /a row has 2 values as its label, but the model's head has 3/,
    );
    await expect(trainerOf(await languageModel(), ids, {}).train()).rejects.toThrow(
      /make batches of a language model by DataCollatorForLanguageModeling/,
    );
  });

  it.each([
    ['single_label_classification', 2, 1, /all 3 training rows have the label 1: there is nothing to tell apart/],
    ['multi_label_classification', 2, [0, 1], /all 3 training rows have the label \[0,1\]/],
    ['regression', 1, 0.5, /have the label 0.5: there is nothing to learn/],
  ] as const)(
    'rows of one label under %s, before anything is computed',
    async (problemType, numLabels, label, message) => {
      const same = Dataset.fromRows([1, 2, 3].map((id) => ({ input_ids: [id, 9], label })));
      const collator = new DataCollatorWithPadding({ padTokenId: PAD, problemType });
      const begun: string[] = [];
      const trainer = trainerOf(await head(problemType, numLabels), same, {
        collator,
        callbacks: [{ onTrainBegin: () => void begun.push('begun') }],
      });
      await expect(trainer.train()).rejects.toThrow(message);
      expect(begun).toEqual([]);
    },
  );

  it('one label to choose from, and metrics of logits that are not kept', async () => {
    await expect(head('single_label_classification', 1)).rejects.toThrow(/there is 1 label, but one of at least 2/);
    const model = await languageModel();
    expect(() => trainerOf(model, texts, { computeMetrics: () => ({}) })).toThrow(
      /computeMetrics means nothing where a model learns causal_lm/,
    );
  });
});
