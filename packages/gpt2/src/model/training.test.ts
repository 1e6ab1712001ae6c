import { tensor1d, tidy, variableGrads, zeros, type Scalar, type Tensor2D, type Variable } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import {
  assignDropoutSites,
  crossEntropy,
  gatherRows,
  INFERENCE,
  Linear,
  LinearLayer,
  openDevice,
  type Device,
  type ForwardContext,
} from '@qlora-js/kernels';
import { describeBackends } from '@qlora-js/kernels/testing';
import { largestDifference, relativeDistance } from '../../../../tools/test/compare';
import { TINY, tinyFiles } from '../../../../tools/test/tiny-gpt2';
import { packSequences, tokenBatch, trainingContext } from '../batch/token-batch';
import { loadGpt2ForSequenceClassification } from '../weights/load';
import type { ActivationDtype } from './decoder';
import { CausalLanguageModel } from './language-model-head';
import type { GPT2ForSequenceClassification } from './sequence-classification';

const NO_DROPOUT = { embd_pdrop: 0, attn_pdrop: 0, resid_pdrop: 0 };

/** Every linear weight trained, so that gradients leave each block and not only pass through. */
async function trainable(config: object): Promise<{ model: GPT2ForSequenceClassification; variables: Variable[] }> {
  const files = tinyFiles({ ...TINY, ...config });
  const { model } = await loadGpt2ForSequenceClassification(files, { numLabels: 3, quantization: null });
  assignDropoutSites(model);
  const variables: Variable[] = [];
  for (const [, module] of model.namedModules()) {
    if (!(module instanceof LinearLayer)) continue;
    for (const [, parameter] of module.namedParameters()) {
      parameter.setRequiresGrad(true);
      variables.push(parameter.variable);
    }
  }
  return { model, variables };
}

function texts(count: number, length: number, model: GPT2ForSequenceClassification) {
  const ids = Array.from({ length: count }, (_, text) => Array.from({ length }, (_, i) => (7 * text + 3 * i) % 40));
  return packSequences(ids, model.config);
}

/** Loss and gradients, and the bytes they took at most; they leave no tensor behind. */
async function measured(device: Device, loss: () => Scalar, variables: Variable[]) {
  device.resetPeakMemory();
  const before = device.memory();
  const { value, grads } = variableGrads(loss, variables);
  const peak = device.memory().peakBytes - before.currentBytes;
  const gradients = await Promise.all(variables.map(({ name }) => grads[name]!.data()));
  const [lossValue] = await value.data();
  for (const tensor of [value, ...Object.values(grads)]) tensor.dispose();
  expect(device.memory().tensors).toBe(before.tensors);
  return { peak, loss: lossValue, gradients };
}

describeBackends('gradient checkpointing', (backend) => {
  // Bit for bit where sums have one order; on a GPU recomputing gives the same bits too, and costs the same to show.
  it(`changes no bit of loss and gradients, with dropout, and lowers peak memory (${backend.name})`, async () => {
    const { model, variables } = await trainable({ n_embd: 32, n_layer: 6 });
    const batch = texts(8, 24, model);
    const labels = tensor1d([0, 1, 2, 0, 1, 2, 0, 1], 'int32');
    const context = trainingContext(batch, { seed: 1, step: 2 });
    const run = (gradientCheckpointing: boolean) => {
      model.transformer.gradientCheckpointing = gradientCheckpointing;
      return measured(backend.device, () => model.loss(batch, labels, context).loss, variables);
    };
    const plain = await run(false);
    const checkpointed = await run(true);
    expect(plain.gradients).toHaveLength(6 * 8 + 1);
    expect(checkpointed.loss).toBe(plain.loss);
    checkpointed.gradients.forEach((values, i) => expect(values, `gradient ${i}`).toEqual(plain.gradients[i]));
    expect(checkpointed.peak).toBeLessThan(0.5 * plain.peak);
    for (const held of [labels, context]) held.dispose();
    batch.dispose();
    model.dispose();
  });
});

describeBackends('activations in float16', (backend) => {
  it(`leave the loss as it is and gradients within a rounding, and lower peak memory (${backend.name})`, async () => {
    const { model, variables } = await trainable({ n_embd: 32, n_layer: 6 });
    const batch = texts(8, 24, model);
    const labels = tensor1d([0, 1, 2, 0, 1, 2, 0, 1], 'int32');
    const context = trainingContext(batch, { seed: 1, step: 2 });
    const run = (activationDtype: ActivationDtype) => {
      model.transformer.activationDtype = activationDtype;
      return measured(backend.device, () => model.loss(batch, labels, context).loss, variables);
    };
    const full = await run('float32');
    const half = await run('float16');
    model.transformer.gradientCheckpointing = true;
    const both = await run('float16');
    for (const { loss, gradients } of [half, both]) {
      expect(loss).toBe(full.loss);
      gradients.forEach((values, i) => {
        // The largest are of c_attn: attention's backward pass subtracts what is nearly equal.
        expect(relativeDistance(values, full.gradients[i]!), variables[i]!.name).toBeLessThan(2e-2);
      });
    }
    expect(half.gradients[0]).not.toEqual(full.gradients[0]);
    expect(half.peak).toBeLessThan(0.95 * full.peak);
    for (const held of [labels, context]) held.dispose();
    batch.dispose();
    model.dispose();
  });
});

/** A head that says how many rows it is given, and how many the numbers of its dropout are for. */
class RowCounter extends Linear {
  readonly seen: { readonly rows: number; readonly numbered: number }[] = [];

  override forward(x: Tensor2D, context: ForwardContext): Tensor2D {
    this.seen.push({ rows: x.shape[0], numbered: (context.random?.size ?? NaN) - 4 });
    return super.forward(x, context);
  }
}

describe('heads on some of the rows', () => {
  const ids = [[1, 2, 3, 4], [5], [6, 7, 8]];

  it('have the numbers of those rows for their dropout', async () => {
    const device = await openDevice({ backend: 'cpu' });
    const { model } = await trainable(NO_DROPOUT);
    const { transformer } = model;
    const width = model.config.nEmbd;
    const score = new RowCounter(zeros([3, width]));
    model.replaceModule('score', score);
    const batch = packSequences(ids, model.config);
    const context = trainingContext(batch, { seed: 0, step: 0 });
    tidy(() => void model.forward(batch, context));
    expect(score.seen).toEqual([{ rows: 3, numbered: 3 }]);

    const language = new CausalLanguageModel(transformer, 'transformer', zeros([40, width]));
    const head = new RowCounter(zeros([40, width]));
    language.replaceModule('lm_head', head);
    const at = { rows: tensor1d([1, 6], 'int32'), labels: tensor1d([3, 8], 'int32') };
    const some = { ...context, randomAfter: tensor1d([0, 0, 0, 0, 1, 6], 'int32') };
    tidy(() => void language.lossAt(batch, at, some));
    expect(head.seen).toEqual([{ rows: 2, numbered: 2 }]);
    device.dispose();
  });
});

describeBackends('pooled rows', (backend) => {
  it(`give the loss and gradients of computing every row and gathering at the end (${backend.name})`, async () => {
    const { model, variables } = await trainable({ ...NO_DROPOUT, n_embd: 16, n_layer: 3 });
    const ids = [[1, 2, 3, 4], [5], [6, 7, 8, 9, 10, 11, 12], [13, 14]];
    const batch = packSequences(ids, model.config);
    const labels = tensor1d([2, 0, 1, 1], 'int32');
    const context = trainingContext(batch, { seed: 0, step: 0 });
    const all = (): Scalar => {
      const hidden = gatherRows(model.transformer.forward(batch, context), batch.pooledRows);
      return crossEntropy((model.child('score') as LinearLayer).forward(hidden, context), labels);
    };
    const [pooled, whole] = [() => model.loss(batch, labels, context).loss, all].map((loss) =>
      variableGrads(loss, variables),
    ) as [ReturnType<typeof variableGrads>, ReturnType<typeof variableGrads>];
    expect((await pooled.value.data())[0]).toBeCloseTo((await whole.value.data())[0]!, 5);
    for (const { name } of variables) {
      const [found, expected] = await Promise.all([pooled.grads[name]!.data(), whole.grads[name]!.data()]);
      expect(largestDifference(found, expected), name).toBeLessThan(2e-5);
      expect(expected.some((value) => Math.abs(value) > 1e-4)).toBe(true);
    }
    for (const { value, grads } of [pooled, whole]) for (const t of [value, ...Object.values(grads)]) t.dispose();
    for (const held of [labels, context]) held.dispose();
    batch.dispose();
    model.dispose();
  });
});

describeBackends(
  'dropout',
  () => {
    const logits = async (model: GPT2ForSequenceClassification, step?: number) => {
      const batch = texts(2, 6, model);
      const training = trainingContext(batch, { seed: 4, step: step ?? 0 });
      const values = await tidy(() => model.forward(batch, step === undefined ? INFERENCE : training)).data();
      batch.dispose();
      training.dispose();
      return [...values];
    };

    it('draws for a text by its place in the step, whoever its neighbours are and wherever it lies', async () => {
      const { model } = await trainable({ embd_pdrop: 0.3, attn_pdrop: 0.3, resid_pdrop: 0.3 });
      const { nPositions, vocabSize } = model.config;
      const texts = [
        [1, 2, 3],
        [4, 5, 6, 7, 8],
        [9, 10],
      ].map((ids, place) => ({ ids, place }));
      const logitsOf = async (rows: typeof texts): Promise<number[][]> => {
        const batch = tokenBatch(rows, { padTokenId: 0, nPositions, vocabSize, rowMultiple: 8 });
        const context = trainingContext(batch, { seed: 3, step: 1 });
        const values = await tidy(() => model.forward(batch, context)).array();
        for (const held of [batch, context]) held.dispose();
        return values;
      };
      const together = await logitsOf(texts);
      const apart = [texts[2]!, texts[0]!, texts[1]!];
      for (const [index, text] of apart.entries()) {
        const [alone] = await logitsOf([text]);
        const moved = (await logitsOf(apart))[index]!;
        for (const found of [alone!, moved]) expect(largestDifference(found, together[text.place]!)).toBeLessThan(1e-5);
      }
      const [elsewhere] = await logitsOf([{ ...texts[0]!, place: 7 }]);
      expect(largestDifference(elsewhere!, together[0]!)).toBeGreaterThan(1e-3);
      model.dispose();
    });

    it.each(['embd_pdrop', 'attn_pdrop', 'resid_pdrop'])(
      '%s alone changes training, the same at the same step, and never inference',
      async (rate) => {
        const { model } = await trainable({ ...NO_DROPOUT, [rate]: 0.4 });
        const { model: without } = await trainable(NO_DROPOUT);
        expect(await logits(model)).toEqual(await logits(without));
        expect(await logits(without, 1)).toEqual(await logits(without));
        expect(await logits(model, 1)).not.toEqual(await logits(model));
        expect(await logits(model, 1)).toEqual(await logits(model, 1));
        expect(await logits(model, 2)).not.toEqual(await logits(model, 1));
        model.dispose();
        without.dispose();
      },
    );
  },
  { backends: ['cpu', 'wasm'] },
);

describe('a training pass with dropout', () => {
  it('without a random state is an error', async () => {
    const { model } = await trainable({});
    const batch = texts(1, 3, model);
    expect(() => model.forward(batch, { training: true })).toThrow(/context\.random/);
    batch.dispose();
    model.dispose();
  });
});
