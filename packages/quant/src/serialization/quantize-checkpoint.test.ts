import { describe, expect, it } from 'vitest';
import { memoryFiles, openCheckpoint, serializeSafetensors, toFloat32, type StoredTensor } from '@qlora-js/hub';
import { dequantizeTensors } from './dequantize-tensors';
import { quantizeCheckpoint, type QuantizeCheckpointOptions } from './quantize-checkpoint';

const weights = (name: string, shape: number[]): StoredTensor => {
  const size = shape.reduce((a, b) => a * b, 1);
  const values = Float32Array.from({ length: size }, (_, i) => (((i * 7919 + name.length) % 997) - 498) / 498);
  return { name, dtype: 'F32', shape, bytes: new Uint8Array(values.buffer) };
};
const GPT2 = [
  weights('transformer.wte.weight', [40, 8]),
  weights('transformer.h.0.attn.c_attn.weight', [8, 24]),
  weights('transformer.h.0.attn.c_attn.bias', [24]),
  weights('transformer.h.0.attn.masked_bias', []),
  weights('transformer.ln_f.weight', [8]),
  weights('lm_head.decoder.weight', [40, 8]),
];
const CONFIG = '{\n  "model_type": "gpt2",\n  "layer_norm_epsilon": 1e-05,\n  "initializer_range": 1.0\n}\n';
const model = (tensors: readonly StoredTensor[], config = CONFIG) =>
  memoryFiles('tiny', {
    'config.json': config,
    'model.safetensors': serializeSafetensors(tensors),
    'merges.txt': 'a b\n',
  });

async function quantised(tensors: readonly StoredTensor[], options?: QuantizeCheckpointOptions) {
  const files = await quantizeCheckpoint(model(tensors), options);
  const checkpoint = await openCheckpoint(memoryFiles('quantised', files));
  const read = async (name: string) => {
    const names = checkpoint.names().filter((other) => other === name || other.startsWith(`${name}.`));
    return Promise.all(names.map((other) => checkpoint.read(other)));
  };
  return { files, checkpoint, read };
}

describe('quantizeCheckpoint', () => {
  it('writes Conv1D weights turned to [out, in] and in 4 bits, all else as it is, and no masks or copied heads', async () => {
    const { files, checkpoint, read } = await quantised(GPT2);
    expect(Object.keys(files)).toEqual(['config.json', 'model.safetensors', 'merges.txt']);
    const name = 'transformer.h.0.attn.c_attn.weight';
    expect(
      checkpoint
        .names()
        .filter((other) => !other.startsWith(`${name}.`))
        .sort(),
    ).toEqual(['transformer.h.0.attn.c_attn.bias', name, 'transformer.ln_f.weight', 'transformer.wte.weight']);
    expect(checkpoint.info(name)).toMatchObject({ dtype: 'U8', shape: [96, 1] });
    const values = dequantizeTensors(name, await read(name), [24, 8]);
    const original = toFloat32(GPT2[1]!);
    let largest = 0;
    for (let i = 0; i < 8; i++) {
      for (let o = 0; o < 24; o++) largest = Math.max(largest, Math.abs(values[o * 8 + i]! - original[i * 24 + o]!));
    }
    expect(largest).toBeGreaterThan(0);
    expect(largest).toBeLessThan(0.17);
    expect((await checkpoint.read('transformer.wte.weight')).bytes).toEqual(GPT2[0]!.bytes);
  });

  it('adds a quantization_config whose floats are floats, and leaves the rest of the text alone', async () => {
    const { files } = await quantised(GPT2, { quantType: 'fp4', doubleQuant: false });
    const text = files['config.json'] as string;
    expect(
      text.startsWith('{\n  "model_type": "gpt2",\n  "layer_norm_epsilon": 1e-05,\n  "initializer_range": 1.0,\n'),
    ).toBe(true);
    expect(text).toContain('"llm_int8_threshold": 6.0,');
    expect((JSON.parse(text) as Record<string, unknown>)['quantization_config']).toMatchObject({
      quant_method: 'bitsandbytes',
      load_in_4bit: true,
      bnb_4bit_quant_type: 'fp4',
      bnb_4bit_use_double_quant: false,
    });
  });

  it('quantises the linear layers of the Llama family as they lie, and the embedding where asked to', async () => {
    const llama = [
      weights('model.embed_tokens.weight', [40, 8]),
      weights('model.layers.0.self_attn.k_proj.weight', [4, 8]),
      weights('lm_head.weight', [40, 8]),
    ];
    const { checkpoint, read } = await quantised(llama, { blocksize: 32 });
    const name = 'model.layers.0.self_attn.k_proj.weight';
    const values = dequantizeTensors(name, await read(name), [4, 8]);
    expect(Math.max(...values.map((value, i) => Math.abs(value - toFloat32(llama[1]!)[i]!)))).toBeLessThan(0.17);
    expect(checkpoint.info('lm_head.weight').dtype).toBe('F32');
    expect((await quantised(GPT2, { embedding: true })).checkpoint.info('transformer.wte.weight').dtype).toBe('U8');
  });

  it('writes shards with an index above a size', async () => {
    const { files, checkpoint } = await quantised(GPT2, { maxShardBytes: 2000 });
    const names = Object.keys(files).filter((name) => name.startsWith('model'));
    expect(names).toEqual([
      'model-00001-of-00002.safetensors',
      'model-00002-of-00002.safetensors',
      'model.safetensors.index.json',
    ]);
    expect(checkpoint.files).toHaveLength(2);
    const sizes = checkpoint.names().map((name) => checkpoint.info(name).byteLength);
    const index = JSON.parse(files['model.safetensors.index.json'] as string) as { metadata: { total_size: number } };
    expect(index.metadata.total_size).toBe(sizes.reduce((a, b) => a + b));
  });

  it.each<[string, () => Promise<unknown>, RegExp]>([
    ['a type that Python lacks', () => quantizeCheckpoint(model(GPT2), { quantType: 'int4' }), /quantType is int4/],
    [
      'a model that is quantised already',
      () => quantizeCheckpoint(model(GPT2, '{"quantization_config":{}}')),
      /tiny is quantised already/,
    ],
    ['a config that is no object', () => quantizeCheckpoint(model(GPT2, '[]')), /config.json is no object/],
    ['another family', () => quantizeCheckpoint(model([weights('x', [2])])), /tiny has no linear layer .* but x, .../],
    ['no size', () => quantizeCheckpoint(model(GPT2), { maxShardBytes: 0 }), /maxShardBytes is 0/],
  ])('refuses %s', async (_, run, message) => {
    await expect(run()).rejects.toMatchObject({ name: 'QuantError', code: 'BAD_ARGUMENT' });
    await expect(run()).rejects.toThrow(message);
  });
});
