import type { LlamaFields } from './fields';

/** How rotary frequencies are made. */
export type RopeParameters =
  | { readonly type: 'default'; readonly theta: number }
  | { readonly type: 'linear'; readonly theta: number; readonly factor: number }
  | {
      readonly type: 'llama3';
      readonly theta: number;
      readonly factor: number;
      readonly lowFreqFactor: number;
      readonly highFreqFactor: number;
      readonly originalMaxPositionEmbeddings: number;
    };

const TYPES = ['default', 'linear', 'llama3'];

/**
 * Reads rotary parameters as transformers 5 writes them (`rope_parameters`) or as earlier versions did (`rope_theta` and
 * `rope_scaling`, whose type was once called `type`).
 */
export function parseRope(fields: LlamaFields): RopeParameters {
  const name = fields.has('rope_parameters') ? 'rope_parameters' : 'rope_scaling';
  const given = fields.nested(name);
  const theta = given?.has('rope_theta') ? given.positive('rope_theta', 10_000) : fields.positive('rope_theta', 10_000);
  const type = given?.text('rope_type', given.text('type', 'default')) ?? 'default';
  if (given === undefined || type === 'default') return { type: 'default', theta };
  if (type === 'linear') return { type, theta, factor: given.positive('factor') };
  if (type === 'llama3') {
    return {
      type,
      theta,
      factor: given.positive('factor'),
      lowFreqFactor: given.positive('low_freq_factor'),
      highFreqFactor: given.positive('high_freq_factor'),
      originalMaxPositionEmbeddings: given.positive('original_max_position_embeddings'),
    };
  }
  throw fields.error(`${name} has the rope_type ${JSON.stringify(type)}; known are ${TYPES.join(', ')}`, type);
}

/**
 * The angle a pair of columns turns by from one position to the next, for each of headDim / 2 pairs, rounded to float32
 * as torch keeps them (transformers, modeling_rope_utils.py).
 */
export function inverseFrequencies(rope: RopeParameters, headDim: number): Float32Array {
  const half = headDim / 2;
  return Float32Array.from({ length: half }, (_, i) => {
    const frequency = Math.fround(1 / Math.fround(rope.theta ** Math.fround(i / half)));
    if (rope.type === 'default') return frequency;
    if (rope.type === 'linear') return frequency / rope.factor;
    const { factor, lowFreqFactor, highFreqFactor, originalMaxPositionEmbeddings: length } = rope;
    const waveLength = (2 * Math.PI) / frequency;
    if (waveLength < length / highFreqFactor) return frequency;
    if (waveLength > length / lowFreqFactor) return frequency / factor;
    const smooth = (length / waveLength - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
    return ((1 - smooth) * frequency) / factor + smooth * frequency;
  });
}

/**
 * Cosines and sines by position, [positions, headDim], as `rotaryQkv` takes them. Angles are products in float32, as
 * transformers has them, which shows at large positions.
 */
export function rotaryTable(rope: RopeParameters, headDim: number, positions: number): Float32Array {
  const frequencies = inverseFrequencies(rope, headDim);
  const half = headDim / 2;
  const table = new Float32Array(positions * headDim);
  for (let position = 0; position < positions; position++) {
    for (let d = 0; d < half; d++) {
      const angle = Math.fround(position * frequencies[d]!);
      table[position * headDim + d] = Math.cos(angle);
      table[position * headDim + half + d] = Math.sin(angle);
    }
  }
  return table;
}
