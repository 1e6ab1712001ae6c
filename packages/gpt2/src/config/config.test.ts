import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Gpt2Error } from '../errors';
import { parseGpt2Config } from './config';

describe('parseGpt2Config', () => {
  it("gives transformers' defaults for what is missing or null", () => {
    expect(parseGpt2Config({ n_inner: null, pad_token_id: null, id2label: null })).toEqual({
      vocabSize: 50257,
      nPositions: 1024,
      nEmbd: 768,
      nLayer: 12,
      nHead: 12,
      nInner: 3072,
      activationFunction: 'gelu_new',
      residPdrop: 0.1,
      embdPdrop: 0.1,
      attnPdrop: 0.1,
      layerNormEpsilon: 1e-5,
      initializerRange: 0.02,
      scaleAttnWeights: true,
      scaleAttnByInverseLayerIdx: false,
      reorderAndUpcastAttn: false,
      tieWordEmbeddings: true,
      bosTokenId: 50256,
      eosTokenId: 50256,
      padTokenId: null,
      id2label: null,
    });
  });

  it("reads DialoGPT-medium's sizes and a classifier's labels", () => {
    const config = parseGpt2Config({
      model_type: 'gpt2',
      n_embd: 1024,
      n_layer: 24,
      n_head: 16,
      n_ctx: 1024,
      task_specific_params: { conversational: { max_length: 1000 } },
      id2label: { 0: 'card arrival', 1: 'card lost' },
      pad_token_id: 50256,
    });
    expect(config).toMatchObject({ nEmbd: 1024, nLayer: 24, nHead: 16, nInner: 4096, padTokenId: 50256 });
    expect(config.id2label).toEqual(['card arrival', 'card lost']);
  });

  it.each<[object, RegExp]>([
    [{ n_embd: 10, n_head: 3 }, /n_embd 10 is not a multiple of n_head 3/],
    [{ n_layer: 0 }, /n_layer is 0, but a positive integer/],
    [{ n_embd: '768' }, /n_embd is "768"/],
    [{ resid_pdrop: 1 }, /resid_pdrop is 1/],
    [{ attn_pdrop: -0.1 }, /attn_pdrop is -0.1/],
    [{ scale_attn_weights: 1 }, /scale_attn_weights is 1, but true or false/],
    [{ activation_function: 'gelu_newer' }, /activation_function is "gelu_newer", but one of gelu_new/],
    [{ activation_function: 'toString' }, /activation_function is "toString"/],
    [{ eos_token_id: -1 }, /eos_token_id is -1/],
    [{ model_type: 'llama' }, /model_type is "llama"/],
    [{ add_cross_attention: true }, /add_cross_attention is true/],
    [{ id2label: { 0: 'a', 2: 'c' } }, /id2label has gaps/],
    [{ id2label: { __proto: 'a' } }, /id2label has the entry/],
    [{ id2label: ['a', 5] }, /id2label has the entry "1": 5/],
    [{ id2label: 'ab' }, /id2label is "ab"/],
  ])('refuses %j, naming the key and the place', (json, message) => {
    expect(() => parseGpt2Config(json, 'model/config.json')).toThrow(message);
    expect(() => parseGpt2Config(json, 'model/config.json')).toThrow(/^model\/config\.json/);
  });

  it('gives a config or a Gpt2Error for any JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        try {
          expect(parseGpt2Config(json).nEmbd).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(Gpt2Error);
        }
      }),
    );
  });
});
