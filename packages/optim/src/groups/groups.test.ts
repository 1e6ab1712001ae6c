import { openDevice } from '@qlora-js/kernels';
import { afterAll, describe, expect, it } from 'vitest';
import { trained } from '../testing/parameters';
import { decayGroups, isExcludedFromDecay } from './groups';

const device = await openDevice({ backend: 'cpu' });
afterAll(() => device.dispose());

describe('isExcludedFromDecay', () => {
  // transformers' patterns, and the LayerNorms that it finds by their type in GPT-2.
  it.each([
    ['transformer.h.0.attn.c_attn.bias', true],
    ['transformer.h.0.ln_1.weight', true],
    ['transformer.h.11.ln_2.weight', true],
    ['transformer.ln_f.weight', true],
    ['encoder.LayerNorm.weight', true],
    ['model.rmsnorm.weight', true],
    ['model.norm.weight', true],
    ['norm.weight', true],
    ['layers.0.input_norm.weight', true],
    ['base_model.model.transformer.h.0.attn.c_attn.lora_A.weight', false],
    ['base_model.model.score.weight', false],
    ['transformer.wte.weight', false],
    ['model.normal.weight', false],
    ['head.ln_10.weight', false],
  ])('%s: %s', (name, excluded) => {
    expect(isExcludedFromDecay(name)).toBe(excluded);
  });
});

describe('decayGroups', () => {
  const parameters = ['score.weight', 'ln_f.weight', 'lora_A.weight'].map((name) => ({
    name,
    variable: trained(Float32Array.of(1)),
  }));
  const split = (...options: [number, ((name: string) => boolean)?]): unknown =>
    decayGroups(parameters, ...options).map((group) => [group.weightDecay, group.parameters.map(({ name }) => name)]);

  it('makes two groups in the parameters’ order', () => {
    expect(split(0.01)).toEqual([
      [0.01, ['score.weight', 'lora_A.weight']],
      [0, ['ln_f.weight']],
    ]);
  });

  it('goes by a rule of the caller’s, and keeps an empty group', () => {
    expect(split(0.1, () => false)).toEqual([
      [0.1, ['score.weight', 'ln_f.weight', 'lora_A.weight']],
      [0, []],
    ]);
  });
});
