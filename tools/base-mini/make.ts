// Makes packages/base-mini/weights from a GPT-2 base: 4-bit weights, config, vocabulary, and what that costs in loss.
// usage: npx tsx --conditions=@qlora-js/source tools/base-mini/make.ts BASE_FOLDER HELD_OUT_FOLDER
// HELD_OUT_FOLDER has Banking77's layout; only the texts of its test split are read.
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { loadTextDataset } from '@qlora-js/data';
import { openData } from '@qlora-js/data/node';
import { loadGpt2LMHeadModel } from '@qlora-js/gpt2';
import type { ModelFiles } from '@qlora-js/hub';
import { folderFiles, writeFileAtomic } from '@qlora-js/hub/node';
import { countParameters, openDevice } from '@qlora-js/kernels';
import { GPT2Tokenizer } from '@qlora-js/tokenize-gpt2';
import { withFigures, type Figures } from './card';
import { tokenLoss } from './measure';
import { quantisedWeights } from './quantise';
import { SENTENCES } from './sentences';

const [baseFolder, heldOutFolder] = process.argv.slice(2);
if (baseFolder === undefined || heldOutFolder === undefined) {
  throw new Error('usage: tools/base-mini/make.ts BASE_FOLDER HELD_OUT_FOLDER');
}
const weightsFolder = fileURLToPath(new URL('../../packages/base-mini/weights/', import.meta.url));
const base = await folderFiles(baseFolder);

await writeFileAtomic(`${weightsFolder}model.safetensors`, await quantisedWeights(base));
for (const name of ['config.json', 'vocab.json', 'merges.txt', 'tokenizer_config.json']) {
  await writeFileAtomic(`${weightsFolder}${name}`, await base.text(name));
}
const figures = await measure(await folderFiles(weightsFolder));
await writeFileAtomic(`${weightsFolder}quantisation.json`, `${JSON.stringify(figures, null, 2)}\n`);
const card = `${weightsFolder}README.md`;
await writeFileAtomic(card, withFigures(await readFile(card, 'utf8'), figures));

async function measure(quantised: ModelFiles): Promise<Figures> {
  await openDevice({ backend: 'wasm' });
  const tokenizer = await GPT2Tokenizer.load(base);
  const { test } = await loadTextDataset(await openData(heldOutFolder!));
  const texts = test.toRows().map(({ text }) => text);
  const losses = async (name: string, files: ModelFiles, dense: boolean) => {
    const { model } = await loadGpt2LMHeadModel(files, dense ? { quantization: null } : {});
    const heldOut = await tokenLoss(model, tokenizer, texts, (done) => {
      process.stderr.write(`\r${name}: ${done} of ${texts.length} texts`);
    });
    const sentences = await tokenLoss(model, tokenizer, SENTENCES);
    process.stderr.write(`, loss ${heldOut.loss.toFixed(4)}\n`);
    const parameters = countParameters(model).all;
    model.dispose();
    return { heldOut, sentences, parameters };
  };
  const float16 = await losses('float16', base, true);
  const blocks = await losses('blocks in 4 bits', base, false);
  const all = await losses('blocks and embedding in 4 bits', quantised, false);
  const { size } = await stat(`${weightsFolder}model.safetensors`);
  const sha256 = createHash('sha256')
    .update(await readFile(`${weightsFolder}model.safetensors`))
    .digest('hex');
  const { parameters } = float16;
  return {
    file: { bytes: size, sha256, parameters, bitsPerParameter: (8 * size) / parameters },
    heldOut: {
      texts: texts.length,
      tokens: float16.heldOut.tokens,
      float16: float16.heldOut.loss,
      blocksIn4Bit: blocks.heldOut.loss,
      blocksAndEmbeddingIn4Bit: all.heldOut.loss,
    },
    sentences: {
      tokens: float16.sentences.tokens,
      float16: float16.sentences.loss,
      blocksAndEmbeddingIn4Bit: all.sentences.loss,
    },
  };
}
