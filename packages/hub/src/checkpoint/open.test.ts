import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { goldenPath } from '../../../../tools/test/golden';
import * as p from '../../test/pickle-writer';
import { memoryFiles } from '../files/model-files';
import { openSafetensors } from '../safetensors/open';
import { serializeSafetensors } from '../safetensors/serialize';
import { bufferSource } from '../files/byte-source';
import { openCheckpoint } from './open';

const safetensors = (names: string[], value: number): Uint8Array =>
  serializeSafetensors(names.map((name) => ({ name, dtype: 'U8', shape: [1], bytes: Uint8Array.of(value) })));
const pickle = (name: string, value: number): Uint8Array =>
  p.legacyFile(
    p.dict([p.str(name), p.tensor(p.storage('0', 1, 'ByteStorage'), { shape: [1] })], [p.str('n'), p.none]),
    [{ key: '0', elements: 1, bytes: Uint8Array.of(value) }],
  );
const index = (map: unknown): string => JSON.stringify({ metadata: {}, weight_map: map });

const all = {
  'model.safetensors': safetensors(['a'], 1),
  'model.safetensors.index.json': index({ a: 'm-1.safetensors', b: 'sub/m-2.safetensors' }),
  'm-1.safetensors': safetensors(['a'], 2),
  'sub/m-2.safetensors': safetensors(['b'], 3),
  'pytorch_model.bin': pickle('a', 4),
  'pytorch_model.bin.index.json': index({ a: 'p-1.bin', b: 'p-2.bin' }),
  'p-1.bin': pickle('a', 5),
  'p-2.bin': pickle('b', 6),
};
const without = (...paths: string[]) =>
  memoryFiles('m', Object.fromEntries(Object.entries(all).filter(([path]) => !paths.includes(path))));

describe('openCheckpoint', () => {
  const order = ['model.safetensors', 'model.safetensors.index.json', 'pytorch_model.bin'] as const;
  it.each([
    [0, ['model.safetensors'], 'safetensors', 1, []],
    [1, ['m-1.safetensors', 'sub/m-2.safetensors'], 'safetensors', 2, []],
    [2, ['pytorch_model.bin'], 'pytorch', 4, ['n']],
    [3, ['p-1.bin', 'p-2.bin'], 'pytorch', 5, ['n', 'n']],
  ] as const)(
    "takes the first that is there in transformers' order, place %d",
    async (gone, files, format, value, others) => {
      const checkpoint = await openCheckpoint(without(...order.slice(0, gone)));
      expect(checkpoint).toMatchObject({ id: 'm', files, format, others });
      expect((await checkpoint.read('a')).bytes).toEqual(Uint8Array.of(value));
      expect(checkpoint.names()).toEqual(files.length === 1 ? ['a'] : ['a', 'b']);
      expect(checkpoint.info('a')).toMatchObject({ dtype: 'U8', shape: [1], byteLength: 1 });
      expect(() => checkpoint.info('toString')).toThrow(/m has no tensor "toString"/);
      await expect(checkpoint.read('c')).rejects.toMatchObject({ code: 'UNKNOWN_TENSOR', value: 'c' });
    },
  );

  const inShards = (changes: Record<string, Uint8Array | string>) => {
    const { 'model.safetensors': _, ...rest } = all;
    return memoryFiles('m', { ...rest, ...changes });
  };
  const sharded = (changes: Record<string, Uint8Array | string>) =>
    memoryFiles('m', { ...all, 'model.safetensors.index.json': all['model.safetensors.index.json'], ...changes });
  const only = (map: unknown, more: Record<string, Uint8Array | string> = {}) =>
    memoryFiles('m', {
      'model.safetensors.index.json': index(map),
      'm-1.safetensors': all['m-1.safetensors'],
      ...more,
    });

  it.each([
    [
      'no weights',
      memoryFiles('m', { 'config.json': '{}' }),
      'NOT_FOUND',
      /none of model.safetensors,.*save_pretrained/,
    ],
    ['a missing shard', without('model.safetensors', 'sub/m-2.safetensors'), 'NOT_FOUND', /sub\/m-2.*shard of "b"/],
    [
      'a tensor that is not in its shard',
      only({ z: 'm-1.safetensors' }),
      'UNKNOWN_TENSOR',
      /m-1.safetensors has no tensor "z"/,
    ],
    [
      'a tensor that the index does not list',
      inShards({ 'm-1.safetensors': safetensors(['a', 'unlisted'], 2) }),
      'CORRUPT_FILE',
      /m\/m-1.safetensors holds tensor "unlisted", but model.safetensors.index.json does not list it/,
    ],
    [
      'a tensor in two shards',
      inShards({ 'sub/m-2.safetensors': safetensors(['a', 'b'], 3) }),
      'CORRUPT_FILE',
      /sub\/m-2.safetensors holds tensor "a", but .* says that it lies in m-1.safetensors/,
    ],
    [
      'a truncated shard',
      only({ a: 'x' }, { x: all['m-1.safetensors'].subarray(0, -1) }),
      'TRUNCATED_FILE',
      /m\/x: its tensors need/,
    ],
    [
      'a truncated file',
      sharded({ 'model.safetensors': all['model.safetensors'].subarray(0, 20) }),
      'TRUNCATED_FILE',
      /m\/model.safetensors/,
    ],
    [
      'an index without a map',
      memoryFiles('m', { 'model.safetensors.index.json': '[]' }),
      'CORRUPT_FILE',
      /weight_map/,
    ],
    ['an empty index', only({}), 'CORRUPT_FILE', /names no tensors/],
    ['an index that is no JSON', memoryFiles('m', { 'model.safetensors.index.json': 'x' }), 'CORRUPT_FILE', /not JSON/],
    [
      'a shard outside the model',
      only({ a: '../../etc/passwd' }),
      'CORRUPT_FILE',
      /"\.\.\/\.\.\/etc\/passwd", refused/,
    ],
    ['a shard that is a number', only({ a: 1 }), 'CORRUPT_FILE', /shard of "a" is 1/],
  ])('refuses %s', async (_, files, code, message) => {
    const error = (await openCheckpoint(files).catch((thrown: unknown) => thrown)) as Error;
    expect(error.message).toMatch(message);
    expect(error).toMatchObject({ code });
  });

  it('reads the shards that transformers wrote', async () => {
    const folder = goldenPath('checkpoints');
    const read = (name: string): [string, Uint8Array] => [name, readFileSync(`${folder}/sharded/${name}`)];
    const shards = readdirSync(`${folder}/sharded`).map(read);
    const checkpoint = await openCheckpoint(memoryFiles('gpt2', Object.fromEntries(shards)));
    const expected = await openSafetensors(bufferSource(readFileSync(`${folder}/expected.safetensors`)));
    expect(checkpoint.files.length).toBe(shards.filter(([name]) => name.endsWith('.safetensors')).length);
    expect(checkpoint.files.length).toBeGreaterThan(2);
    for (const name of expected.tensors.keys()) {
      const [ours, theirs] = [await checkpoint.read(`transformer.${name}`), await expected.read(name)];
      expect([ours.dtype, ours.shape, Buffer.compare(ours.bytes, theirs.bytes)]).toEqual([
        theirs.dtype,
        theirs.shape,
        0,
      ]);
    }
  });
});
