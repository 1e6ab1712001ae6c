import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bufferSource, openGguf, openSafetensors, toFloat32 } from '@qlora-js/hub';
import { folderFiles } from '@qlora-js/hub/node';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { goldenPath } from '../../../../tools/test/golden';
import { ggufAdapter } from '../export/gguf-adapter';
import { writeIntents } from '../testing/intents';
import { fineTuneClassifier } from './fine-tune-classifier';
import { loadTextClassifier } from './load-classifier';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gguf-'));
  await writeIntents(join(folder, 'data'));
});
afterAll(() => rm(folder, { recursive: true }));

it('trains a classifier on a base that is one GGUF file, loads it from the name that the adapter keeps, and exports it', async () => {
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

  const { bytes, leftOut } = await ggufAdapter(await folderFiles(out));
  expect(leftOut).toEqual(['base_model.model.score.weight']);
  const file = await openGguf(bufferSource(bytes));
  expect(file.metadata.get('general.architecture')).toBe('llama');
  expect(file.tensors.size).toBe(2 * 7 * 2);
  const saved = await openSafetensors(await (await folderFiles(out)).open('adapter_model.safetensors'));
  const own = await saved.read('base_model.model.model.layers.1.self_attn.k_proj.lora_B.weight');
  const read = toFloat32(await file.read('blk.1.attn_k.weight.lora_b'));
  const [rows, rank] = own.shape as [number, number];
  const row = (values: Float32Array, at: number): number[] => [...values.subarray(at * rank, (at + 1) * rank)];
  // Two heads of 16: the halves that a rotation turns stand next to each other there.
  expect(rows).toBe(32);
  expect([0, 1, 2, 15, 16, 17].map((at) => row(read, at))).toEqual(
    [0, 8, 1, 15, 16, 24].map((at) => row(toFloat32(own), at)),
  );
});
