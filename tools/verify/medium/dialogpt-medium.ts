import { open } from 'node:fs/promises';
import { float32ToFloat16 } from '@qlora-js/hub';
import { writeFileAtomic } from '@qlora-js/hub/node';
import { normalValues } from '@qlora-js/kernels';
import * as p from '../../../packages/hub/test/pickle-writer';

/** microsoft/DialoGPT-medium's config.json, as far as a model is made of it. */
const CONFIG = {
  architectures: ['GPT2LMHeadModel'],
  model_type: 'gpt2',
  vocab_size: 50257,
  n_positions: 1024,
  n_ctx: 1024,
  n_embd: 1024,
  n_layer: 24,
  n_head: 16,
  layer_norm_epsilon: 1e-5,
  initializer_range: 0.02,
};
const PIECE = 2 ** 22;

/** What one load took. */
export interface LoadMeasurement {
  readonly seconds: number;
  /** The most that the process had while loading, above what it had with the device open. */
  readonly peakMegabytes: number;
  /** What loading said of the file. */
  readonly report: readonly string[];
}

/** Names and shapes in the order of the hub's pytorch_model.bin, its masks and its copy of the embedding included. */
function tensors(): [string, number[]][] {
  const { n_embd: width, n_layer: layers, vocab_size: vocabulary, n_ctx: length } = CONFIG;
  const list: [string, number[]][] = [
    ['transformer.wte.weight', [vocabulary, width]],
    ['transformer.wpe.weight', [length, width]],
  ];
  for (let layer = 0; layer < layers; layer++) {
    const add = (name: string, ...shape: number[]) => list.push([`transformer.h.${layer}.${name}`, shape]);
    add('ln_1.weight', width);
    add('ln_1.bias', width);
    add('attn.bias', 1, 1, length, length);
    add('attn.c_attn.weight', width, 3 * width);
    add('attn.c_attn.bias', 3 * width);
    add('attn.c_proj.weight', width, width);
    add('attn.c_proj.bias', width);
    add('ln_2.weight', width);
    add('ln_2.bias', width);
    add('mlp.c_fc.weight', width, 4 * width);
    add('mlp.c_fc.bias', 4 * width);
    add('mlp.c_proj.weight', 4 * width, width);
    add('mlp.c_proj.bias', width);
  }
  list.push(['transformer.ln_f.weight', [width]], ['transformer.ln_f.bias', [width]]);
  list.push(['lm_head.decoder.weight', [vocabulary, width]]);
  return list;
}

/**
 * Writes a folder of DialoGPT-medium's form, as the hub has it: pytorch_model.bin, a legacy pickle of 863 MB in float16
 * with causal masks and a copy of the embedding as a head, and config.json. Values are random, from the seed.
 *
 * @returns bytes of the weights
 */
export async function writeDialogptMedium(folder: string, seed: number): Promise<number> {
  const list = tensors();
  const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
  const strides = (shape: number[]): number[] => shape.map((_, axis) => size(shape.slice(axis + 1)));
  const key = (index: number): string => String(94_000_000 + index);
  const entries = list.map(([name, shape], index): [p.Pickled, p.Pickled] => [
    p.str(name),
    p.tensor(p.storage(key(index), size(shape), 'HalfStorage'), { shape, stride: strides(shape) }),
  ]);
  await writeFileAtomic(`${folder}/config.json`, `${JSON.stringify(CONFIG, null, 2)}\n`);
  const file = await open(`${folder}/pytorch_model.bin`, 'w');
  let written = 0;
  const write = async (bytes: Uint8Array): Promise<void> => {
    await file.write(bytes);
    written += bytes.byteLength;
  };
  try {
    await write(
      p.legacyHead(
        p.dict(...entries),
        list.map((_, index) => key(index)),
      ),
    );
    for (const [index, [name, shape]] of list.entries()) {
      const count = size(shape);
      await write(new Uint8Array(BigInt64Array.of(BigInt(count)).buffer));
      const isNorm = /ln_(1|2|f)\.weight$/.test(name);
      for (let at = 0; at < count; at += PIECE) {
        const values = normalValues(Math.min(PIECE, count - at), { seed: seed + index, stream: at / PIECE });
        for (let i = 0; i < values.length; i++) values[i] = values[i]! * CONFIG.initializer_range + (isNorm ? 1 : 0);
        await write(new Uint8Array(float32ToFloat16(values).buffer));
      }
    }
  } finally {
    await file.close();
  }
  return written;
}
