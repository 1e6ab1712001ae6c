import { memoryFiles, serializeSafetensors, type ModelFiles, type StoredTensor } from '@qlora-js/hub';

/** A tiny GPT-2's config.json; keys as transformers writes them. */
export interface TinyConfig {
  readonly vocab_size: number;
  readonly n_positions: number;
  readonly n_embd: number;
  readonly n_layer: number;
  readonly n_head: number;
  readonly n_inner?: number;
  readonly tie_word_embeddings?: boolean;
  readonly [key: string]: unknown;
}

export const TINY: TinyConfig = {
  vocab_size: 40,
  n_positions: 24,
  n_embd: 8,
  n_layer: 2,
  n_head: 2,
  bos_token_id: 39,
  eos_token_id: 39,
};

/** Numbers made of a seed, a weight's name and places; tools/python/golden/variants.py makes the same. */
export function tinyWeights(name: string, size: number, seed: number): Float32Array {
  let start = seed;
  for (const character of name) start = (Math.imul(start, 31) + character.charCodeAt(0)) >>> 0;
  const isNormWeight = name.split('.').at(-2)!.startsWith('ln_') && name.endsWith('.weight');
  return Float32Array.from({ length: size }, (_, i) => {
    let word = (Math.imul(i, 2654435761) + start) >>> 0;
    word = Math.imul(word ^ (word >>> 15), 2246822519) >>> 0;
    word = (word ^ (word >>> 13)) >>> 0;
    const value = word / 2 ** 32 - 0.5;
    return isNormWeight ? value + 1 : value * 1.5;
  });
}

/** Names and shapes of a GPT-2's weights, as transformers stores them. */
export function tinyShapes(config: TinyConfig): Map<string, number[]> {
  const { vocab_size: vocabSize, n_positions: nPositions, n_embd: width, n_layer: layers } = config;
  const inner = config.n_inner ?? 4 * width;
  const shapes = new Map<string, number[]>();
  const add = (name: string, ...shape: number[]) => shapes.set(`transformer.${name}`, shape);
  add('wte.weight', vocabSize, width);
  add('wpe.weight', nPositions, width);
  for (let layer = 0; layer < layers; layer++) {
    for (const norm of ['ln_1', 'ln_2']) {
      add(`h.${layer}.${norm}.weight`, width);
      add(`h.${layer}.${norm}.bias`, width);
    }
    for (const [linear, inFeatures, outFeatures] of [
      ['attn.c_attn', width, 3 * width],
      ['attn.c_proj', width, width],
      ['mlp.c_fc', width, inner],
      ['mlp.c_proj', inner, width],
    ] as const) {
      add(`h.${layer}.${linear}.weight`, inFeatures, outFeatures);
      add(`h.${layer}.${linear}.bias`, outFeatures);
    }
  }
  add('ln_f.weight', width);
  add('ln_f.bias', width);
  if (config.tie_word_embeddings === false) shapes.set('lm_head.weight', [vocabSize, width]);
  return shapes;
}

export function tinyTensors(config: TinyConfig = TINY, seed = 0): Map<string, StoredTensor> {
  const tensors = new Map<string, StoredTensor>();
  for (const [name, shape] of tinyShapes(config)) {
    tensors.set(
      name,
      floatTensor(
        name,
        shape,
        tinyWeights(
          name,
          shape.reduce((a, b) => a * b),
          seed,
        ),
      ),
    );
  }
  return tensors;
}

export function floatTensor(name: string, shape: number[], values: Float32Array): StoredTensor {
  return { name, dtype: 'F32', shape, bytes: new Uint8Array(values.buffer) };
}

/** A tiny GPT-2 as a folder in memory. */
export function tinyFiles(
  config: TinyConfig = TINY,
  tensors: ReadonlyMap<string, StoredTensor> = tinyTensors(config),
): ModelFiles {
  return memoryFiles('tiny', {
    'config.json': JSON.stringify(config),
    'model.safetensors': serializeSafetensors(tensors.values()),
  });
}
