import { slice, tidy, variableGrads, type Variable } from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { activationNames, INFERENCE, type Linear, type LayerNorm } from '@qlora-js/kernels';
import { describeBackends } from '@qlora-js/kernels/testing';
import { largestDifference, norm } from '../../../../tools/test/compare';
import { goldenVariants, padTexts } from '../../test/golden-variants';
import { TINY, tinyFiles, tinyTensors, type TinyConfig } from '../../../../tools/test/tiny-gpt2';
import { nextTokenLabels } from '../batch/next-token-labels';
import { tokenBatch } from '../batch/token-batch';
import { loadGpt2LMHeadModel } from '../weights/load-language-model';
import type { GPT2LMHeadModel } from './language-model';

const PAD = 39;

async function load(changes: object = {}): Promise<GPT2LMHeadModel> {
  const config: TinyConfig = { ...TINY, ...changes };
  const files = tinyFiles(config, tinyTensors(config, goldenVariants.seed));
  return (await loadGpt2LMHeadModel(files, { quantization: null })).model;
}

function batchOf(side: 'left' | 'right', packed = true) {
  const padded = padTexts(goldenVariants.texts, side, PAD);
  const batch = tokenBatch(padded, { padTokenId: PAD, nPositions: 24, vocabSize: 40, packed });
  return { padded, batch, labels: nextTokenLabels(padded, { packed }) };
}

/** Against transformers on weights of a formula (tools/python/golden/variants.py), float32. */
describeBackends('every config variant', () => {
  it.each(goldenVariants.variants)('$name: hidden states, logits, loss, gradients', async (golden) => {
    const model = await load(golden.config);
    const { batch, labels } = batchOf('right');
    const hidden = tidy(() => model.transformer.forward(batch, INFERENCE));
    expect(largestDifference(await hidden.data(), golden.hidden)).toBeLessThan(2e-5);
    const logits = tidy(() =>
      slice(model.forward(batch, INFERENCE), [goldenVariants.texts[0]!.length - 1, 0], [1, 40]),
    );
    expect(largestDifference(await logits.data(), golden.lastLogits)).toBeLessThan(5e-5);

    const weights = new Map<string, Variable>();
    const train = (name: string, { weight }: Linear | LayerNorm) => {
      weight.setRequiresGrad(true);
      weights.set(name, weight.variable);
    };
    for (const name of [...Object.keys(golden.gradientNorms), 'ln_f']) {
      train(name, model.module(`transformer.${name}`) as Linear | LayerNorm);
    }
    const { value, grads } = variableGrads(() => model.loss(batch, labels, INFERENCE).loss, [...weights.values()]);
    expect(Math.abs((await value.data())[0]! - golden.loss)).toBeLessThan(1e-5);
    const gradient = (name: string) => grads[weights.get(name)!.name]!.data();
    for (const [name, expected] of Object.entries(golden.gradientNorms)) {
      expect(Math.abs(norm(await gradient(name)) / expected - 1), name).toBeLessThan(1e-4);
    }
    expect(largestDifference(await gradient('ln_f'), golden.lnFGradient)).toBeLessThan(2e-5);
    model.dispose();
  });

  it('left padding counts positions from the first column, as transformers does by default', async () => {
    const model = await load();
    const hidden = tidy(() => model.transformer.forward(batchOf('left').batch, INFERENCE));
    expect(largestDifference(await hidden.data(), goldenVariants.leftPadded)).toBeLessThan(2e-5);
    model.dispose();
  });

  it.each(['left', 'right'] as const)('rows of %s padding change nothing when they are kept', async (side) => {
    const model = await load();
    const { padded, batch, labels } = batchOf(side, false);
    const packed = batchOf(side);
    expect([batch.rows, packed.batch.rows]).toEqual([12, 9]);
    const kept = await tidy(() => model.transformer.forward(batch, INFERENCE)).data();
    const real = Array.from(kept).filter((_, i) => padded.attentionMask[Math.floor(i / TINY.n_embd)] !== 0);
    const dense = await tidy(() => model.transformer.forward(packed.batch, INFERENCE)).data();
    expect(largestDifference(real, dense)).toBeLessThan(1e-5);
    const loss = async (of: typeof packed) =>
      (await tidy(() => model.loss(of.batch, of.labels, INFERENCE).loss).data())[0]!;
    expect(Math.abs((await loss({ padded, batch, labels })) - (await loss(packed)))).toBeLessThan(1e-6);
    model.dispose();
  });
});

it('names of all activations that the kernels have are among the variants', () => {
  const recorded = goldenVariants.variants.map(({ config }) => config['activation_function']);
  expect(activationNames.filter((name) => !recorded.includes(name))).toEqual([]);
});
