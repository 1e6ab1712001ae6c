// Trains the embedded base for a few steps, merges and exports the adapter, and writes what it says of a few texts here.
// usage: tsx --conditions=@qlora-js/source tools/verify/python/make-exports.ts OUT     called by check_exports.py
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadTextDataset } from '@qlora-js/data';
import { openData } from '@qlora-js/data/node';
import { ggufAdapter } from '@qlora-js/finetune';
import { fineTuneClassifier, mergeAdapterFolder } from '@qlora-js/finetune/node';
import { folderFiles, writeFolder } from '@qlora-js/hub/node';
import { goldenPath } from '../../test/golden';
import { writeIntents } from '../../../packages/finetune/src/testing/intents';

const [out] = process.argv.slice(2);
if (out === undefined) throw new Error('usage: make-exports.ts OUT');

const TEXTS = ['my card is lost', 'what is the exchange rate', 'i want to change my pin, please', 'card'];
const data = join(out, 'data');
await writeIntents(data);
const adapter = join(out, 'adapter');
const { classifier, dispose } = await fineTuneClassifier({
  data: await loadTextDataset(await openData(data), { validation: 0.2, seed: 0 }),
  backend: 'wasm',
  seed: 0,
  padding: { maxLength: 32 },
  output: { folder: adapter },
  training: { maxSteps: 6, evalSteps: 3, learningRate: 2e-3 },
  report: false,
});
const labels = classifier.labels();
const predictions = await classifier.predict(TEXTS, { topK: labels.length });
const probabilities = predictions.map((prediction) =>
  labels.map((name) => prediction.labels.find(({ label }) => label === name)!.probability),
);
await dispose();
for (const dtype of ['float16', 'bfloat16', '4bit'] as const) {
  const { files } = await mergeAdapterFolder(adapter, { backend: 'wasm', dtype });
  await writeFolder(join(out, dtype), files);
}
const llama = await fineTuneClassifier({
  base: goldenPath('generation/tiny.gguf'),
  data: await loadTextDataset(await openData(data), { validation: 0.2, seed: 0 }),
  ...{ backend: 'wasm', seed: 0, padding: { maxLength: 48 }, report: false },
  output: { folder: join(out, 'llama-adapter') },
  training: { maxSteps: 4, evalSteps: 2, learningRate: 1e-2 },
});
await llama.dispose();
for (const name of ['adapter', 'llama-adapter'])
  writeFileSync(join(out, `${name}.gguf`), (await ggufAdapter(await folderFiles(join(out, name)))).bytes);
writeFileSync(join(out, 'said.json'), JSON.stringify({ texts: TEXTS, labels, probabilities }));
