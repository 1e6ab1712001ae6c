import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { goldenPath } from '../../../../tools/test/golden';
import { writeIntents } from '../testing/intents';
import { fineTuneClassifier } from './fine-tune-classifier';
import { loadTextClassifier } from './load-classifier';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gguf-'));
  await writeIntents(join(folder, 'data'));
});
afterAll(() => rm(folder, { recursive: true }));

it('trains a classifier on a base that is one GGUF file, and loads it from the name that the adapter keeps', async () => {
  const base = join(goldenPath('generation'), 'tiny.gguf');
  const out = join(folder, 'out');
  const { report, classifier, dispose } = await fineTuneClassifier({
    ...{ base, data: join(folder, 'data'), dataOptions: { validation: 0.2 }, backend: 'wasm', seed: 0 },
    padding: { maxLength: 48 },
    lora: { loraDropout: 0 },
    training: { learningRate: 1e-2, numTrainEpochs: 8, evalSteps: 10, perDeviceTrainBatchSize: 4 },
    output: { folder: out },
    report: false,
  });
  // A random base: what is learnt is learnt by the adapter and the head.
  expect(report.test_accuracy).toBeGreaterThan(0.6);
  const texts = ['my card is lost', 'change my pin please'];
  const said = await classifier.predict(texts, { topK: 3 });
  await dispose();
  const loaded = await loadTextClassifier(out, { backend: 'wasm' });
  expect(await loaded.predict(texts, { topK: 3 })).toEqual(said);
  loaded.dispose();
});
