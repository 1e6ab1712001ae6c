import { describe, expect, it } from 'vitest';
import { goldenJson } from '../../../../tools/test/golden';
import { loraConfigFromJson, loraConfigToJson } from './json';
import { loraConfig } from './lora-config';
import { isTarget, rankAndAlpha } from './targets';

describe('loraConfig', () => {
  it("has PEFT's defaults and adds the heads of a sequence classifier", () => {
    const config = loraConfig({ taskType: 'SEQ_CLS' });
    expect(config).toMatchObject({
      r: 8,
      loraAlpha: 8,
      loraDropout: 0,
      bias: 'none',
      useRslora: false,
      initLoraWeights: true,
    });
    expect(config.modulesToSave).toEqual(['classifier', 'score']);
    expect(loraConfig({ taskType: 'SEQ_CLS', modulesToSave: ['score', 'wte'] }).modulesToSave).toEqual([
      'score',
      'wte',
      'classifier',
    ]);
  });

  it.each([
    [{ r: 0 }, 'r is 0'],
    [{ r: 2.5 }, 'r is 2.5'],
    [{ loraDropout: 1 }, 'loraDropout is 1'],
    [{ loraAlpha: -1 }, 'loraAlpha is -1'],
    [{ targetModules: [] }, 'targetModules is []'],
    [{ rankPattern: { c_attn: 0 } }, 'c_attn'],
    [{ targetModules: '.*c_attn', layersToTransform: [0] }, 'layersToTransform is [0]'],
  ])('refuses %o and names the value', (options, message) => {
    expect(() => loraConfig(options)).toThrow(message);
  });
});

describe('adapter_config.json', () => {
  it('round-trips everything, unknown keys included', () => {
    const json = {
      peft_type: 'LORA',
      r: 4,
      lora_alpha: 12,
      target_modules: ['c_attn'],
      rank_pattern: { 'h.0.attn.c_attn': 2 },
      brand_new_key: { a: [1] },
      use_rslora: true,
    };
    const config = loraConfigFromJson(json);
    expect(config).toMatchObject({ r: 4, loraAlpha: 12, useRslora: true, rankPattern: { 'h.0.attn.c_attn': 2 } });
    const written = JSON.parse(loraConfigToJson(config)) as Record<string, unknown>;
    expect(written['brand_new_key']).toEqual({ a: [1] });
    expect(loraConfigFromJson(written)).toMatchObject({ r: 4, loraAlpha: 12, useRslora: true });
  });

  it.each([
    [{ peft_type: 'LOHA' }, 'peft_type is "LOHA"'],
    [{ peft_type: 'LORA', r: '16' }, 'r is "16"'],
    [{ peft_type: 'LORA', target_modules: [1] }, 'target_modules is [1]'],
    [{ peft_type: 'LORA', trainable_token_indices: [3] }, 'trainable_token_indices is [3]'],
    [[], 'not a JSON object'],
  ])('refuses %o', (json, message) => {
    expect(() => loraConfigFromJson(json)).toThrow(message);
  });

  it("reads PEFT's own file and writes the same keys and values", () => {
    const original = goldenJson<Record<string, unknown>>('training/adapter-start/adapter_config.json');
    const written = JSON.parse(loraConfigToJson(loraConfigFromJson(original))) as Record<string, unknown>;
    expect(Object.keys(written)).toEqual(Object.keys(original));
    expect(written).toEqual(original);
  });
});

describe('isTarget', () => {
  const keys = [
    'transformer.h.0.attn.c_attn',
    'transformer.h.0.attn.c_proj',
    'transformer.h.1.mlp.c_proj',
    'transformer.h.1.mlp.c_fc',
    'score',
  ];
  const fitting = (options: Parameters<typeof loraConfig>[0]): string[] =>
    keys.filter((key) => isTarget(loraConfig(options), key));

  it('takes names as whole names or as endings after a dot', () => {
    expect(fitting({ targetModules: ['c_proj'] })).toEqual([
      'transformer.h.0.attn.c_proj',
      'transformer.h.1.mlp.c_proj',
    ]);
    expect(fitting({ targetModules: ['mlp.c_proj'] })).toEqual(['transformer.h.1.mlp.c_proj']);
    expect(fitting({ targetModules: ['proj'] })).toEqual([]);
  });

  it('takes a string as a regular expression for whole names', () => {
    expect(fitting({ targetModules: '.*\\.(c_attn|c_fc)' })).toEqual([
      'transformer.h.0.attn.c_attn',
      'transformer.h.1.mlp.c_fc',
    ]);
    expect(fitting({ targetModules: 'c_attn' })).toEqual([]);
    expect(() => fitting({ targetModules: '(' })).toThrow('"(" is not a regular expression');
  });

  it('all-linear is every layer but those saved whole', () => {
    expect(fitting({ targetModules: 'all-linear', taskType: 'SEQ_CLS' })).toEqual(keys.slice(0, 4));
    // PEFT leaves out what get_output_embeddings() gives, unless it is named.
    const language = loraConfig({ targetModules: 'all-linear', taskType: 'CAUSAL_LM' });
    expect(['model.layers.0.mlp.up_proj', 'lm_head'].filter((key) => isTarget(language, key))).toEqual([
      'model.layers.0.mlp.up_proj',
    ]);
    expect(isTarget(loraConfig({ targetModules: ['lm_head'], taskType: 'CAUSAL_LM' }), 'lm_head')).toBe(true);
  });

  it('leaves out excluded modules and other layers', () => {
    expect(fitting({ targetModules: ['c_proj', 'c_attn'], excludeModules: ['mlp.c_proj'] })).toEqual(keys.slice(0, 2));
    expect(fitting({ targetModules: ['c_proj'], layersToTransform: [1] })).toEqual(['transformer.h.1.mlp.c_proj']);
    expect(fitting({ targetModules: ['c_proj'], layersToTransform: [0], layersPattern: ['h'] })).toEqual([
      'transformer.h.0.attn.c_proj',
    ]);
    expect(fitting({ targetModules: ['c_proj'], layersToTransform: [0], layersPattern: ['blocks'] })).toEqual([]);
  });
});

describe('rankAndAlpha', () => {
  it('scales by alpha / r, by alpha / sqrt(r) under rsLoRA, and by the first pattern that fits', () => {
    expect(rankAndAlpha(loraConfig({ r: 16, loraAlpha: 32 }), 'a').scaling).toBe(2);
    expect(rankAndAlpha(loraConfig({ r: 16, loraAlpha: 32, useRslora: true }), 'a').scaling).toBe(8);
    const patterned = loraConfig({
      r: 16,
      loraAlpha: 32,
      rankPattern: { 'mlp.c_proj': 4 },
      alphaPattern: { '.*c_attn': 8 },
    });
    expect(rankAndAlpha(patterned, 'h.0.mlp.c_proj')).toEqual({ r: 4, loraAlpha: 32, scaling: 8 });
    expect(rankAndAlpha(patterned, 'h.0.attn.c_attn')).toEqual({ r: 16, loraAlpha: 8, scaling: 0.5 });
    expect(rankAndAlpha(patterned, 'h.0.attn.c_proj').r).toBe(16);
  });
});
