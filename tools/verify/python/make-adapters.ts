// Writes adapters with random weights through the public API, and the logits the models give with them here.
// usage: tsx --conditions=@qlora-js/source tools/verify/python/make-adapters.ts BASE OUT     called by check_adapter.py
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { add, mul, tensor, tidy } from '@tensorflow/tfjs-core';
import { loadGpt2ForSequenceClassification, tokenBatch } from '@qlora-js/gpt2';
import { folderFiles } from '@qlora-js/hub/node';
import { INFERENCE, normalValues, openDevice } from '@qlora-js/kernels';
import { adapterFiles, getPeftModel, loraConfig, type LoraConfig } from '@qlora-js/lora';
import { GPT2Tokenizer } from '@qlora-js/tokenize-gpt2';

const [base, out] = process.argv.slice(2);
if (base === undefined || out === undefined) throw new Error('usage: make-adapters.ts BASE OUT');

const LABELS = 77;
const TEXTS = [
  'My card has not arrived yet.',
  'Why was I charged twice for the same transfer?',
  'How',
  'I would like to top up with my Apple Pay account but it does not let me do so, what is wrong?',
];
const CASES: Record<string, Partial<LoraConfig>> = {
  lora: { r: 16, loraAlpha: 32, targetModules: ['c_attn', 'c_proj'] },
  rslora: { r: 8, loraAlpha: 16, useRslora: true, targetModules: ['c_attn', 'c_proj'] },
  dora: { r: 4, loraAlpha: 8, useDora: true, targetModules: ['c_attn', 'c_fc'] },
  patterns: {
    r: 4,
    loraAlpha: 8,
    targetModules: ['c_attn', 'c_proj', 'c_fc'],
    rankPattern: { 'h.0.attn.c_attn': 8 },
    alphaPattern: { 'mlp.c_proj': 32 },
  },
  'all-linear': { r: 2, loraAlpha: 4, targetModules: 'all-linear' },
};

const device = await openDevice({ backend: 'wasm' });
const files = await folderFiles(base);
const tokenizer = await GPT2Tokenizer.load(files);
const padTokenId = tokenizer.eosTokenId!;
const { inputIds } = tokenizer.batch(TEXTS);
const length = Math.max(...inputIds.map((ids) => ids.length));
const padded = inputIds.flatMap((ids) => Array.from({ length }, (_, i) => ids[i] ?? padTokenId));
const attentionMask = inputIds.flatMap((ids) => Array.from({ length }, (_, i) => (i < ids.length ? 1 : 0)));

const logits: Record<string, number[]> = {};
for (const [name, config] of Object.entries(CASES)) {
  const { model } = await loadGpt2ForSequenceClassification(files, {
    numLabels: LABELS,
    quantization: null,
  });
  const peft = getPeftModel(model, loraConfig({ ...config, taskType: 'SEQ_CLS', baseModelNameOrPath: base }));
  let stream = 0;
  for (const [, parameter] of peft.namedParameters()) {
    if (!parameter.requiresGrad) continue;
    // Beside what a weight starts from, so that DoRA's magnitudes stay magnitudes.
    const noise = normalValues(parameter.value.size, { seed: 3, stream: stream++ });
    const moved = tidy(() => add(parameter.value, mul(tensor(noise, parameter.shape), 0.05)));
    parameter.assign(moved);
  }
  const folder = join(out, name);
  mkdirSync(folder, { recursive: true });
  for (const [file, content] of Object.entries(await adapterFiles(peft))) writeFileSync(join(folder, file), content);
  const { nPositions, vocabSize } = model.config;
  const batch = tokenBatch(
    { inputIds: padded, attentionMask, batchSize: TEXTS.length, length },
    { padTokenId, nPositions, vocabSize },
  );
  const result = tidy(() => model.forward(batch, INFERENCE));
  logits[name] = Array.from(await result.data());
  result.dispose();
  batch.dispose();
  peft.dispose();
}
writeFileSync(
  join(out, 'logits.json'),
  JSON.stringify({ padTokenId, labels: LABELS, inputIds: padded, attentionMask, length, logits }),
);
device.dispose();
