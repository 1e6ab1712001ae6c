import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ggufFile, type GgufEntry, type GgufParts } from '../../test/gguf-writer';
import { openCheckpoint } from '../checkpoint/open';
import { toFloat32 } from '../dtype/to-float32';
import { HubError } from '../error';
import { bufferSource } from '../files/byte-source';
import { ggufFiles } from './files';
import { ggufTokenizer } from './metadata';
import { openGguf } from './open';
import { ggufLayouts } from './tensor-types';

interface Golden {
  blocks: Record<string, { blocks: string; values: string }>;
  tinyLlama: { file: string; tensors: Record<string, string> };
}
const golden = JSON.parse(readFileSync(new URL('../../test/golden-gguf.json', import.meta.url), 'utf8')) as Golden;
const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'base64'));
const open = (parts: GgufParts, limits = {}) => openGguf(bufferSource(ggufFile(parts), 'x.gguf'), { limits });

const string = (value: string): GgufEntry => ({ type: 8, value });
const uint = (value: number): GgufEntry => ({ type: 4, value });
const float = (value: number): GgufEntry => ({ type: 6, value });
const llama = { 'general.architecture': string('llama') };
const f32 = (...dims: number[]) => ({ dims, type: 0, bytes: new Uint8Array(4 * dims.reduce((a, b) => a * b, 1)) });

describe('openGguf', () => {
  const typeNumbers = new Map([...ggufLayouts].map(([number, { name }]) => [name as string, number]));

  it.each(Object.keys(golden.blocks))('gives the values of %s to the bit as PyPI has them', async (name) => {
    const { blocks, values } = golden.blocks[name]!;
    const expected = bytes(values);
    const file = await open({
      metadata: llama,
      tensors: { t: { dims: [expected.length / 4], type: typeNumbers.get(name)!, bytes: bytes(blocks) } },
    });
    const tensor = await file.read('t');
    const { buffer, byteOffset, byteLength } = toFloat32(tensor);
    expect(new Uint8Array(buffer, byteOffset, byteLength)).toEqual(expected);
    expect(file.tensors.get('t')).toMatchObject({
      storedAs: name,
      dtype: tensor.dtype,
      byteLength: tensor.bytes.length,
    });
  });

  it('reads metadata of every type, and tensors where they lie', async () => {
    const metadata: Record<string, GgufEntry> = {
      ...llama,
      u8: { type: 0, value: 255 },
      i8: { type: 1, value: -1 },
      u16: { type: 2, value: 65535 },
      i16: { type: 3, value: -2 },
      i32: { type: 5, value: -3 },
      f32: float(0.5),
      yes: { type: 7, value: true },
      u64: { type: 10, value: 2n ** 60n },
      i64: { type: 11, value: -4n },
      f64: { type: 12, value: 0.1 },
      list: { type: 9, itemType: 8, value: ['a', '\u00e9'] },
      lists: { type: 9, itemType: 9, value: [] },
    };
    const one = { dims: [2], type: 0, bytes: new Uint8Array(Float32Array.of(1, 2).buffer) };
    const two = { dims: [2, 3], type: 1, bytes: Uint8Array.from({ length: 12 }, (_, i) => i) };
    const file = await open({ metadata, tensors: { one, two } });
    expect(file.architecture).toBe('llama');
    expect(Object.fromEntries(file.metadata)).toEqual({
      'general.architecture': 'llama',
      ...{ u8: 255, i8: -1, u16: 65535, i16: -2, i32: -3, f32: 0.5, yes: true, u64: 2n ** 60n, i64: -4, f64: 0.1 },
      ...{ list: ['a', '\u00e9'], lists: [] },
    });
    expect(toFloat32(await file.read('one'))).toEqual(Float32Array.of(1, 2));
    // The slowest dimension first, as in Python.
    expect(await file.read('two')).toEqual({ name: 'two', dtype: 'F16', shape: [3, 2], bytes: two.bytes });
    await expect(file.read('three')).rejects.toMatchObject({ code: 'UNKNOWN_TENSOR' });
  });

  const list = (value: unknown, itemType: number): GgufEntry => ({ type: 9, itemType, value });
  const nested = [1, 2, 3, 4].reduce<GgufEntry>((inner) => list([inner], 9), list([1], 0));
  it.each<[string, Uint8Array, string, RegExp]>([
    ['another file', Uint8Array.from(Buffer.from('GGUX'.padEnd(64))), 'CORRUPT_FILE', /does not start with GGUF/],
    ['version 1', ggufFile({ version: 1 }), 'UNSUPPORTED', /has version 1/],
    ['a big-endian file', ggufFile({ version: 3 << 24 }), 'UNSUPPORTED', /big-endian/],
    ['a cut header', ggufFile({ metadata: llama }).subarray(0, 40), 'TRUNCATED_FILE', /ends in the middle/],
    ['no architecture', ggufFile({ metadata: {} }), 'CORRUPT_FILE', /does not say its architecture/],
    ['an unknown type of metadata', ggufFile({ metadata: { a: { type: 13, value: 0 } } }), 'CORRUPT_FILE', /type 13/],
    [
      'a type of tensors that is not read',
      ggufFile({ metadata: llama, tensors: { t: { dims: [256], type: 10, bytes: new Uint8Array(84) } } }),
      'UNSUPPORTED',
      /"t" has the type Q2_K; F32, F16, Q4_0,/,
    ],
    [
      'half a block',
      ggufFile({ metadata: llama, tensors: { t: { dims: [33], type: 2, bytes: new Uint8Array(36) } } }),
      'CORRUPT_FILE',
      /impossible shape \[33\] of Q4_0/,
    ],
    [
      'a shape that overflows',
      ggufFile({ metadata: llama, tensors: { t: { ...f32(1), dims: [2 ** 40, 2 ** 40] } } }),
      'CORRUPT_FILE',
      /impossible shape/,
    ],
    ['5 dimensions', ggufFile({ metadata: llama, tensors: { t: f32(1, 1, 1, 1, 1) } }), 'CORRUPT_FILE', /5 dimensions/],
    [
      'an overlap',
      ggufFile({ metadata: llama, tensors: { a: f32(16), b: { ...f32(16), offset: 32 } } }),
      'CORRUPT_FILE',
      /"b" overlaps/,
    ],
    [
      'a tensor past the end',
      ggufFile({ metadata: llama, tensors: { a: { ...f32(4), dims: [400] } } }),
      'TRUNCATED_FILE',
      /"a" ends at byte/,
    ],
    [
      'a tensor out of line',
      ggufFile({ metadata: llama, tensors: { a: { ...f32(4), offset: 4 } } }),
      'CORRUPT_FILE',
      /not aligned to 32/,
    ],
    [
      'an alignment of 0',
      ggufFile({ metadata: { ...llama, 'general.alignment': uint(0) } }),
      'CORRUPT_FILE',
      /alignment is 0/,
    ],
    ['lists in lists', ggufFile({ metadata: { a: nested } }), 'CORRUPT_FILE', /nests too deep/],
    [
      'a list of 2 ** 40 bytes',
      Uint8Array.from(
        Buffer.concat([
          ggufFile({ metadata: { a: list([], 0) } }).subarray(0, 24 + 9 + 4 + 4),
          Buffer.from(BigUint64Array.of(2n ** 40n).buffer),
          Buffer.alloc(4_000_000),
        ]),
      ),
      'TRUNCATED_FILE',
      /ends in the middle/,
    ],
  ])('refuses %s', async (_, content, code, message) => {
    const error: unknown = await openGguf(bufferSource(content, 'x.gguf')).catch((thrown: unknown) => thrown);
    expect(HubError.isInstance(error) && [error.code, error.place]).toEqual([code, 'x.gguf']);
    expect((error as HubError).message).toMatch(message);
  });

  it('holds to the limits of the caller', async () => {
    const metadata = { ...llama, long: string('x'.repeat(5000)) };
    await expect(open({ metadata }, { memoryBytes: 6000 })).rejects.toMatchObject({ code: 'OVER_BUDGET' });
    await expect(open({ metadata })).resolves.toMatchObject({ architecture: 'llama' });
  });
});

describe('ggufFiles', () => {
  const file = bytes(golden.tinyLlama.file);

  it("gives a Llama's tensors by transformers' names and in its order, to the bit as transformers loads them", async () => {
    const checkpoint = await openCheckpoint(await ggufFiles(bufferSource(file, 'tiny.gguf')));
    expect(new Set(checkpoint.names())).toEqual(new Set(Object.keys(golden.tinyLlama.tensors)));
    for (const [name, expected] of Object.entries(golden.tinyLlama.tensors)) {
      const values = toFloat32(await checkpoint.read(name));
      expect([name, Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64')]).toEqual([
        name,
        expected,
      ]);
    }
  });

  it('makes config.json and the vocabulary of the metadata', async () => {
    const files = await ggufFiles(bufferSource(file, 'tiny.gguf'));
    expect(await files.json('config.json')).toEqual({
      architectures: ['LlamaForCausalLM'],
      model_type: 'llama',
      hidden_size: 32,
      intermediate_size: 64,
      num_hidden_layers: 1,
      num_attention_heads: 4,
      num_key_value_heads: 2,
      head_dim: 8,
      max_position_embeddings: 64,
      rms_norm_eps: Math.fround(1e-5),
      rope_theta: 50_000,
      rope_scaling: null,
      hidden_act: 'silu',
      vocab_size: 40,
      tie_word_embeddings: false,
      attention_bias: false,
      sliding_window: null,
      bos_token_id: null,
      eos_token_id: 2,
      pad_token_id: null,
    });
    const tokenizer = ggufTokenizer(files.gguf);
    expect(tokenizer).toMatchObject({ model: 'gpt2', preTokenizer: 'smollm', eosTokenId: 2, merges: ['t 1', 't 2'] });
    expect([tokenizer.tokens[39], tokenizer.tokenTypes?.[0], tokenizer.chatTemplate]).toEqual([
      't39',
      3,
      '{{ messages }}',
    ]);
  });

  /** A model of one head and 8 features with nothing but an embedding. */
  const model = (architecture: string, more: GgufParts = {}): Uint8Array =>
    ggufFile({
      metadata: {
        'general.architecture': string(architecture),
        [`${architecture}.embedding_length`]: uint(16),
        [`${architecture}.feed_forward_length`]: uint(8),
        [`${architecture}.block_count`]: uint(1),
        [`${architecture}.context_length`]: uint(64),
        [`${architecture}.attention.head_count`]: uint(1),
        ...more.metadata,
      },
      tensors: { 'token_embd.weight': f32(16, 4), ...more.tensors },
    });
  const config = async (content: Uint8Array) =>
    (await (await ggufFiles(bufferSource(content, 'x.gguf'))).json('config.json')) as Record<string, unknown>;

  it("leaves Qwen's rows as they are, and names its biases and norms", async () => {
    const values = new Uint8Array(Float32Array.from({ length: 16 }, (_, i) => i).buffer);
    const tensors = {
      'blk.0.attn_q.bias': { dims: [16], type: 0, bytes: values },
      'blk.0.attn_q_norm.weight': f32(16),
      'other.weight': f32(1),
    };
    const content = model('qwen3', { tensors, metadata: { 'qwen3.attention.key_length': uint(16) } });
    const checkpoint = await openCheckpoint(await ggufFiles(bufferSource(content)));
    expect(checkpoint.names()).toEqual([
      'model.embed_tokens.weight',
      'model.layers.0.self_attn.q_proj.bias',
      'model.layers.0.self_attn.q_norm.weight',
      'other.weight',
    ]);
    expect((await checkpoint.read('model.layers.0.self_attn.q_proj.bias')).bytes).toEqual(values);
    expect(await config(content)).toMatchObject({ model_type: 'qwen3', head_dim: 16, attention_bias: true });
    const permuted = await openCheckpoint(await ggufFiles(bufferSource(model('llama', { tensors }))));
    const order = [0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15];
    expect([...toFloat32(await permuted.read('model.layers.0.self_attn.q_proj.bias'))]).toEqual(order);
  });

  it("knows linear and Llama 3's rotary scaling, and refuses others", async () => {
    const scaling = (type: string) => ({
      metadata: { 'llama.rope.scaling.type': string(type), 'llama.rope.scaling.factor': float(4) },
    });
    expect(await config(model('llama', scaling('linear')))).toMatchObject({
      rope_scaling: { rope_type: 'linear', factor: 4 },
    });
    await expect(config(model('llama', scaling('yarn')))).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    // Wave lengths 2 pi 500000^(i/8) of 8192-long training: 1 up to 2048, 8 from 8192 on, between them in between.
    const factors = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => {
      const turns = 8192 / (2 * Math.PI * 500_000 ** (i / 8));
      return turns > 4 ? 1 : turns < 1 ? 8 : 1 / ((1 - (turns - 1) / 3) / 8 + (turns - 1) / 3);
    });
    const llama3 = (values: number[]) => ({
      metadata: { 'llama.rope.freq_base': float(500_000) },
      tensors: { 'rope_freqs.weight': { dims: [8], type: 0, bytes: new Uint8Array(Float32Array.from(values).buffer) } },
    });
    expect(await config(model('llama', llama3(factors)))).toMatchObject({
      rope_scaling: { rope_type: 'llama3', factor: 8, low_freq_factor: 1, original_max_position_embeddings: 8192 },
    });
    await expect(config(model('llama', llama3(factors.map((f) => f * f))))).rejects.toThrow(/not Llama 3's/);
  });

  it.each<[string, Uint8Array, string, RegExp]>([
    ['another architecture', model('falcon'), 'UNSUPPORTED', /"falcon"; known are llama, mistral, qwen2, qwen3/],
    ['a missing key', ggufFile({ metadata: llama }), 'CORRUPT_FILE', /lacks llama.attention.head_count/],
    [
      'a key of another type',
      model('llama', { metadata: { 'llama.block_count': string('two') } }),
      'CORRUPT_FILE',
      /llama.block_count of its metadata is "two", not a whole number above 0/,
    ],
    [
      'a name twice',
      model('llama', { tensors: { 'model.embed_tokens.weight': f32(16, 4) } }),
      'CORRUPT_FILE',
      /model.embed_tokens.weight twice, as token_embd.weight and as model.embed/,
    ],
  ])('refuses %s', async (_, content, code, message) => {
    const opened = ggufFiles(bufferSource(content, 'x.gguf')).then((files) => openCheckpoint(files));
    const error: unknown = await opened.catch((thrown: unknown) => thrown);
    expect(HubError.isInstance(error) && error.code).toBe(code);
    expect((error as HubError).message).toMatch(message);
  });

  it('refuses rows that no heads divide, and a file without a vocabulary', async () => {
    const odd = model('llama', { tensors: { 'blk.0.attn_q.weight': f32(16, 3) } });
    const files = await ggufFiles(bufferSource(odd, 'x.gguf'));
    const checkpoint = await openCheckpoint(files);
    await expect(checkpoint.read('model.layers.0.self_attn.q_proj.weight')).rejects.toThrow(/3 rows for 1 heads/);
    expect(() => ggufTokenizer(files.gguf)).toThrow(/carries no vocabulary/);
  });
});
