import { describe, expect, it } from 'vitest';
import { LlamaError } from '../errors';
import { parseLlamaConfig } from './config';
import { inverseFrequencies, rotaryTable, type RopeParameters } from './rope';

describe('parseLlamaConfig', () => {
  it("has transformers' defaults of each family", () => {
    // AutoConfig.for_model(...).to_dict() of transformers 5.23.
    const of = (json: object) => {
      const { numKeyValueHeads, headDim, intermediateSize, maxPositionEmbeddings, nPositions, eosTokenIds } =
        parseLlamaConfig(json);
      return [numKeyValueHeads, headDim, intermediateSize, maxPositionEmbeddings, nPositions, eosTokenIds];
    };
    expect(of({ model_type: 'llama' })).toEqual([32, 128, 11_008, 2048, 2048, [2]]);
    expect(of({ model_type: 'mistral' })).toEqual([8, 128, 14_336, 131_072, 4096, [2]]);
    expect(of({ model_type: 'qwen2', hidden_size: 896, num_attention_heads: 14, num_key_value_heads: 2 })).toEqual([
      2,
      64,
      22_016,
      32_768,
      32_768,
      [],
    ]);
    expect(of({ model_type: 'qwen3', hidden_size: 1024, num_attention_heads: 16, num_key_value_heads: 8 })).toEqual([
      8,
      128,
      22_016,
      32_768,
      32_768,
      [],
    ]);
  });

  it('gives each family its biases and norms', () => {
    const of = (json: object) => {
      const { queryBias, outputBias, mlpBias, headNorms } = parseLlamaConfig(json);
      return [queryBias, outputBias, mlpBias, headNorms];
    };
    const all = { attention_bias: true, mlp_bias: true };
    expect(of({ model_type: 'llama', ...all })).toEqual([true, true, true, false]);
    expect(of({ model_type: 'mistral', ...all })).toEqual([false, false, false, false]);
    expect(of({ model_type: 'qwen2' })).toEqual([true, false, false, false]);
    expect(of({ model_type: 'qwen3', ...all })).toEqual([true, true, false, true]);
  });

  it('limits texts to a window that is used, and to no other', () => {
    const of = (json: object) => parseLlamaConfig({ max_position_embeddings: 100, ...json }).nPositions;
    expect(of({ model_type: 'mistral', sliding_window: 30 })).toBe(30);
    expect(of({ model_type: 'mistral', sliding_window: null })).toBe(100);
    expect(of({ model_type: 'qwen2', sliding_window: 30 })).toBe(100);
    expect(of({ model_type: 'qwen2', sliding_window: 30, use_sliding_window: true })).toBe(30);
    expect(of({ model_type: 'llama', sliding_window: 30 })).toBe(100);
  });

  it('takes several ends of text', () => {
    const ids = [128_001, 128_008, 128_009];
    expect(parseLlamaConfig({ model_type: 'llama', eos_token_id: ids }).eosTokenIds).toEqual(ids);
  });

  it.each<[string, object | null, string]>([
    ['no object', null, 'config.json: is no JSON object'],
    [
      'another architecture',
      { model_type: 'gemma' },
      'model_type is "gemma", but one of llama, mistral, qwen2, qwen3 is needed',
    ],
    ['no architecture', {}, 'model_type is undefined, but one of llama'],
    ['another activation', { model_type: 'llama', hidden_act: 'gelu' }, 'hidden_act is "gelu"'],
    [
      'another rotary type',
      { model_type: 'llama', rope_scaling: { type: 'yarn', factor: 4 } },
      'rope_scaling has the rope_type "yarn"; known are default, linear, llama3',
    ],
    [
      'a scaling without a factor',
      { model_type: 'llama', rope_parameters: { rope_type: 'linear' } },
      'rope_parameters.factor is undefined, but a positive number is needed',
    ],
    ['a scaling that is no object', { model_type: 'llama', rope_scaling: 2 }, 'rope_scaling is no JSON object'],
    [
      'heads that cannot share',
      { model_type: 'llama', num_attention_heads: 6, num_key_value_heads: 4 },
      'num_attention_heads 6 is not a multiple of num_key_value_heads 4',
    ],
    ['odd heads', { model_type: 'llama', head_dim: 5 }, 'heads of 5 have no pairs'],
    ['heads that leave a rest', { model_type: 'llama', hidden_size: 10, num_attention_heads: 4 }, 'head_dim'],
    ['a size that is none', { model_type: 'llama', hidden_size: 'wide' }, 'hidden_size is "wide"'],
    ['an id that is none', { model_type: 'llama', eos_token_id: [-1] }, 'eos_token_id is [-1]'],
  ])('refuses %s, naming it', (_, json, message) => {
    expect(() => parseLlamaConfig(json)).toThrow(LlamaError);
    expect(() => parseLlamaConfig(json)).toThrow(message);
  });
});

describe('rotary frequencies', () => {
  const llama3: RopeParameters = {
    ...{ type: 'llama3', theta: 500_000, factor: 32, lowFreqFactor: 1, highFreqFactor: 4 },
    originalMaxPositionEmbeddings: 8192,
  };

  it('fall by the power of theta, and by a factor under linear scaling', () => {
    expect(Array.from(inverseFrequencies({ type: 'default', theta: 16 }, 8))).toEqual([1, 0.5, 0.25, 0.125]);
    expect(Array.from(inverseFrequencies({ type: 'linear', theta: 16, factor: 2 }, 8))).toEqual([
      0.5, 0.25, 0.125, 0.0625,
    ]);
  });

  it("keep Llama 3's high ones, divide the low ones and blend between", () => {
    const found = inverseFrequencies(llama3, 64);
    const plain = inverseFrequencies({ type: 'default', theta: 500_000 }, 64);
    expect(found[3]).toBe(plain[3]);
    expect(found[31]).toBeCloseTo(plain[31]! / 32, 12);
    const between = found.findIndex((value, i) => value < plain[i]!);
    expect(found[between]!).toBeGreaterThan(plain[between]! / 32);
  });

  it('make a table of cosines, then sines', () => {
    const table = rotaryTable({ type: 'default', theta: 16 }, 4, 2);
    const expected = [1, 1, 0, 0, Math.cos(1), Math.cos(0.25), Math.sin(1), Math.sin(0.25)];
    expect(Array.from(table)).toEqual(expected.map(Math.fround));
  });
});
