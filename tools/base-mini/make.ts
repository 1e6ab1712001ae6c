// Makes packages/base-mini/weights from a GPT-2 base: 4-bit weights, config and vocabulary.
// usage: npx tsx --conditions=@qlora-js/source tools/base-mini/make.ts BASE_FOLDER
import { fileURLToPath } from 'node:url';
import { folderFiles, writeFileAtomic, writeSafetensors } from '@qlora-js/hub/node';
import { quantiseGpt2 } from './quantise';

const [base] = process.argv.slice(2);
if (base === undefined) throw new Error('usage: tools/base-mini/make.ts BASE_FOLDER');
const files = await folderFiles(base);
const weights = fileURLToPath(new URL('../../packages/base-mini/weights/', import.meta.url));

await writeSafetensors(`${weights}model.safetensors`, await quantiseGpt2(files), { format: 'pt' });
for (const name of ['vocab.json', 'merges.txt', 'tokenizer_config.json', 'config.json']) {
  await writeFileAtomic(`${weights}${name}`, await files.text(name));
}
