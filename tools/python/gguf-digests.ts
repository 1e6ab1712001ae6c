// Prints, as JSON, the SHA-256 and shape of every tensor of a GGUF file by transformers' names.
// usage: tsx --conditions=@qlora-js/source tools/python/gguf-digests.ts FILE.gguf
import { createHash } from 'node:crypto';
import { openCheckpoint, toFloat32 } from '@qlora-js/hub';
import { resolveModel } from '@qlora-js/hub/node';

const [path] = process.argv.slice(2);
if (path === undefined) throw new Error('usage: gguf-digests.ts FILE.gguf');
const files = await resolveModel(path);
const checkpoint = await openCheckpoint(files);
const tensors: Record<string, { sha256: string; shape: readonly number[] }> = {};
for (const name of checkpoint.names()) {
  const tensor = await checkpoint.read(name);
  tensors[name] = { sha256: createHash('sha256').update(toFloat32(tensor)).digest('hex'), shape: tensor.shape };
}
console.log(JSON.stringify({ config: await files.json('config.json'), tensors }));
