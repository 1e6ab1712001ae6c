import { tidy } from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { INFERENCE } from '@qlora-js/kernels';
import { describeBackends } from '@qlora-js/kernels/testing';
import { largestDifference, relativeDistance } from '../../../../tools/test/compare';
import { golden, goldenBatch, goldenClassifier, lossAndGradients } from '../../test/golden-training';

/**
 * Against Python's transformers, PEFT and bitsandbytes in float32 (tools/python/golden/training.py): NF4 with double
 * quantisation and a LoRA adapter.
 */
describeBackends('the first golden batch in float32', () => {
  it('gives logits', async () => {
    const { model } = await goldenClassifier();
    const { batch } = goldenBatch(true);
    const logits = tidy(() => model.forward(batch, INFERENCE));
    expect(largestDifference(await logits.data(), golden.start.floats('logits'))).toBeLessThan(1e-4);
    model.dispose();
  });

  it('gives hidden states, rows of padding included', async () => {
    const { model } = await goldenClassifier();
    const { batch } = goldenBatch(false);
    const states = tidy(() => model.transformer.hiddenStates(batch, INFERENCE));
    expect(states).toHaveLength(golden.start.names.filter((name) => name.startsWith('hidden.')).length);
    for (const [index, state] of states.entries()) {
      const wanted = golden.start.floats(`hidden.${index}`);
      expect(largestDifference(await state.data(), wanted), `state ${index}`).toBeLessThan(1e-4);
      state.dispose();
    }
    model.dispose();
  });

  it('gives the loss and the gradient of every trained tensor', async () => {
    const { model, trained } = await goldenClassifier();
    const { loss, gradients } = await lossAndGradients(model, trained, goldenBatch(true));
    expect(Math.abs(loss - golden.start.floats('loss')[0]!)).toBeLessThan(1e-5);
    const recorded = golden.start.names.filter((name) => name.startsWith('gradient.'));
    expect([...gradients.keys()].map((name) => `gradient.${name}`).sort()).toEqual(recorded.sort());
    for (const [name, gradient] of gradients) {
      expect(relativeDistance(gradient, golden.start.floats(`gradient.${name}`)), name).toBeLessThan(1e-4);
    }
    model.dispose();
  });
});
