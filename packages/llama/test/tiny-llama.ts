import { memoryFiles, serializeSafetensors, type ModelFiles, type StoredTensor } from '@qlora-js/hub';
import { goldenJson } from '../../../tools/test/golden';

/** What tools/python/golden/llama.py recorded. */
export interface GoldenLlama {
  /** Of the formula that the weights come from. */
  readonly seed: number;
  readonly texts: readonly (readonly number[])[];
  readonly labels: readonly number[];
  readonly variants: readonly {
    readonly name: string;
    readonly config: Readonly<Record<string, unknown>>;
    /** Of the real tokens, after the final norm. */
    readonly hidden: readonly number[];
    readonly logits: readonly number[];
    readonly loss: number;
    readonly generated: readonly (readonly number[])[];
    readonly classifierLogits: readonly number[];
    readonly classifierLoss: number;
    /** By the path of the module whose weight it is of. */
    readonly gradients: Readonly<Record<string, readonly number[]>>;
  }[];
}

export const goldenLlama: GoldenLlama = goldenJson('llama.json');

/** Numbers made of a seed, a weight's name and places; tools/python/golden/llama.py makes the same. */
function tinyWeights(name: string, size: number, seed: number): Float32Array {
  let start = seed;
  for (const character of name) start = (Math.imul(start, 31) + character.charCodeAt(0)) >>> 0;
  const isNorm = name.split('.').at(-2)!.endsWith('norm');
  return Float32Array.from({ length: size }, (_, i) => {
    let word = (Math.imul(i, 2654435761) + start) >>> 0;
    word = Math.imul(word ^ (word >>> 15), 2246822519) >>> 0;
    word = (word ^ (word >>> 13)) >>> 0;
    // float32 before the scale, as there.
    const value = Math.fround(1.5 * (word / 2 ** 32 - 0.5));
    return isNorm ? value + 1 : value * Math.fround(0.6);
  });
}

/** Names and shapes of the weights that transformers has for a config. */
export function tinyShapes(config: Readonly<Record<string, unknown>>): Map<string, number[]> {
  const count = (key: string): number => config[key] as number;
  const [width, inner, heads] = [count('hidden_size'), count('intermediate_size'), count('num_attention_heads')];
  const headDim = (config['head_dim'] as number | undefined) ?? width / heads;
  const shared = count('num_key_value_heads') * headDim;
  const shapes = new Map<string, number[]>([['model.embed_tokens.weight', [count('vocab_size'), width]]]);
  const type = config['model_type'];
  const named = config['attention_bias'] === true;
  const linear = (name: string, outFeatures: number, inFeatures: number, bias: boolean): void => {
    shapes.set(`${name}.weight`, [outFeatures, inFeatures]);
    if (bias) shapes.set(`${name}.bias`, [outFeatures]);
  };
  for (let layer = 0; layer < count('num_hidden_layers'); layer++) {
    const at = `model.layers.${layer}`;
    linear(`${at}.self_attn.q_proj`, heads * headDim, width, named || type === 'qwen2');
    linear(`${at}.self_attn.k_proj`, shared, width, named || type === 'qwen2');
    linear(`${at}.self_attn.v_proj`, shared, width, named || type === 'qwen2');
    linear(`${at}.self_attn.o_proj`, width, heads * headDim, named);
    if (type === 'qwen3') for (const one of 'qk') shapes.set(`${at}.self_attn.${one}_norm.weight`, [headDim]);
    linear(`${at}.mlp.gate_proj`, inner, width, config['mlp_bias'] === true);
    linear(`${at}.mlp.up_proj`, inner, width, config['mlp_bias'] === true);
    linear(`${at}.mlp.down_proj`, width, inner, config['mlp_bias'] === true);
    for (const one of ['input', 'post_attention']) shapes.set(`${at}.${one}_layernorm.weight`, [width]);
  }
  shapes.set('model.norm.weight', [width]);
  return shapes;
}

/** A tiny model as a folder in memory, with the head of a classifier, of a language model, or without. */
export function tinyFiles(
  config: Readonly<Record<string, unknown>>,
  head: 'score' | 'lm_head' | 'none' = 'none',
  seed: number = goldenLlama.seed,
): ModelFiles {
  const shapes = tinyShapes(config);
  const width = config['hidden_size'] as number;
  if (head === 'score') shapes.set('score.weight', [3, width]);
  if (head === 'lm_head' && config['tie_word_embeddings'] !== true) {
    shapes.set('lm_head.weight', [config['vocab_size'] as number, width]);
  }
  const tensors = [...shapes].map(([name, shape]): StoredTensor => {
    const values = tinyWeights(
      name,
      shape.reduce((a, b) => a * b),
      seed,
    );
    return { name, dtype: 'F32', shape, bytes: new Uint8Array(values.buffer) };
  });
  return memoryFiles('tiny', {
    'config.json': JSON.stringify(config),
    'model.safetensors': serializeSafetensors(tensors),
  });
}

/** Texts padded to the longest on the right, as a collator does it; 0 is padding. */
export function padTexts(texts: readonly (readonly number[])[]) {
  const length = Math.max(...texts.map((text) => text.length));
  const filled = (text: readonly number[], value: (id: number) => number) =>
    Array.from({ length }, (_, column) => (column < text.length ? value(text[column]!) : 0));
  return {
    inputIds: texts.flatMap((text) => filled(text, (id) => id)),
    attentionMask: texts.flatMap((text) => filled(text, () => 1)),
    batchSize: texts.length,
    length,
  };
}
