import { tidy } from '@tensorflow/tfjs-core';
import { expect, it, describe } from 'vitest';
import { INFERENCE } from '@qlora-js/kernels';
import { fixturesFolder } from '../../../../tools/test/fixtures';
import { describeBackends } from '../../test/backends';
import { largestDifference, norm, relativeDistance } from '../../test/compare';
import { golden, goldenBatch, goldenClassifier, lossAndGradients } from '../../test/golden-training';

/**
 * Against Python's transformers, PEFT and bitsandbytes in float32 (tools/python/golden_training.py): NF4 with double
 * quantisation and a LoRA adapter, on 16 of Banking77's texts; on cpu and a software GPU on two of them.
 */
describe.skipIf(fixturesFolder === undefined)('the first golden batch', () => {
  describeBackends('in float32', (backend) => {
    const expected = backend === 'wasm' ? golden.start : golden.pair;

    it('gives logits and loss', async () => {
      const { model } = await goldenClassifier();
      const { batch } = goldenBatch(expected.texts, true);
      const logits = tidy(() => model.forward(batch, INFERENCE));
      expect(largestDifference(await logits.data(), expected.logits)).toBeLessThan(1e-4);
      model.dispose();
    });

    it('gives hidden states, rows of padding included', async () => {
      const { model } = await goldenClassifier();
      const { batch } = goldenBatch(expected.texts, false);
      const states = tidy(() => model.transformer.hiddenStates(batch, INFERENCE));
      expect(states).toHaveLength(expected.hidden.length);
      for (const [index, state] of states.entries()) {
        const values = await state.data();
        const wanted = expected.hidden[index]!;
        expect(
          largestDifference(
            wanted.at.map((i) => values[i]!),
            wanted.values,
          ),
          `state ${index}`,
        ).toBeLessThan(1e-4);
        expect(Math.abs(norm(values) / wanted.norm - 1), `norm of state ${index}`).toBeLessThan(1e-5);
        state.dispose();
      }
      model.dispose();
    });

    it('gives the gradient of every trained tensor', async () => {
      const { model, trained } = await goldenClassifier();
      const { loss, gradients } = await lossAndGradients(model, trained, goldenBatch(expected.texts, true));
      expect(Math.abs(loss - expected.loss)).toBeLessThan(1e-5);
      expect([...gradients.keys()].sort()).toEqual(Object.keys(expected.gradients).sort());
      for (const [name, wanted] of Object.entries(expected.gradients)) {
        const values = gradients.get(name)!;
        expect(
          relativeDistance(
            wanted.at.map((i) => values[i]!),
            wanted.values,
          ),
          name,
        ).toBeLessThan(1e-3);
        expect(Math.abs(norm(values) / wanted.norm - 1), `norm of ${name}`).toBeLessThan(1e-4);
      }
      model.dispose();
    });
  });
});
