import { tidy } from '@tensorflow/tfjs-core';
import { tokenBatch, trainingContext } from '@qlora-js/gpt2';
import { assignDropoutSites } from '@qlora-js/kernels';
import { describeBackends } from '@qlora-js/kernels/testing';
import { expect, it } from 'vitest';
import { largestDifference } from '../../../../tools/test/compare';
import { goldenLlama, tinyFiles } from '../../test/tiny-llama';
import { loadLlamaForSequenceClassification } from '../weights/load';

describeBackends(
  'dropout of attention',
  () => {
    it('draws for a text by its place in the step, whoever its neighbours are', async () => {
      const { config } = goldenLlama.variants[0]!;
      const { model } = await loadLlamaForSequenceClassification(tinyFiles(config, 'score'), {
        numLabels: 3,
        quantization: null,
        config: { attentionDropout: 0.4 },
      });
      assignDropoutSites(model);
      const { nPositions, vocabSize } = model.config;
      const texts = [
        [1, 2, 3],
        [4, 5, 6, 7, 8],
        [9, 10],
      ].map((ids, place) => ({ ids, place }));
      const logitsOf = async (rows: typeof texts): Promise<number[][]> => {
        const batch = tokenBatch(rows, { padTokenId: 0, nPositions, vocabSize });
        const context = trainingContext(batch, { seed: 3, step: 1 });
        const values = await tidy(() => model.forward(batch, context)).array();
        for (const held of [batch, context]) held.dispose();
        return values;
      };
      const together = await logitsOf(texts);
      for (const text of texts) {
        const [alone] = await logitsOf([text]);
        expect(largestDifference(alone!, together[text.place]!)).toBeLessThan(1e-4);
      }
      const [elsewhere] = await logitsOf([{ ...texts[1]!, place: 7 }]);
      expect(largestDifference(elsewhere!, together[1]!)).toBeGreaterThan(1e-3);
      model.dispose();
    });
  },
  { backends: ['cpu', 'wasm'] },
);
