import { describe, expect, it } from 'vitest';
import { blobSource, bufferSource } from './byte-source';
import { memoryFiles } from './model-files';

const bytes = Uint8Array.of(0, 1, 2, 3, 4);

describe.each([
  ['bufferSource', bufferSource(bytes, 'x')],
  ['blobSource', blobSource(new Blob([bytes]), 'x')],
])('%s', (_, source) => {
  it('reads any range inside, and nothing outside', async () => {
    expect(source.size).toBe(5);
    expect([...(await source.read(1, 3))]).toEqual([1, 2, 3]);
    expect([...(await source.read(5, 0))]).toEqual([]);
    await expect(source.read(3, 3)).rejects.toMatchObject({ code: 'TRUNCATED_FILE', place: 'x' });
    await expect(source.read(-1, 2)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(source.read(0, 0.5)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(source.read(NaN, 1)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

it('memoryFiles takes what a page was given', async () => {
  const files = memoryFiles('dropped', { 'config.json': new Blob(['{"n":1}']) });
  expect(await files.json('config.json')).toEqual({ n: 1 });
  const source = await files.open('config.json');
  expect([source.name, source.size, ...(await source.read(1, 2))]).toEqual(['dropped/config.json', 7, 34, 110]);
});

describe('memoryFiles', () => {
  const files = memoryFiles('mine', { 'a/b.json': '{"x":[1]}', 'bad.json': '{', 'bad.txt': Uint8Array.of(0xff) });

  it('gives texts, JSON and bytes by path', async () => {
    expect(await files.json('a/b.json')).toEqual({ x: [1] });
    expect((await files.open('a/b.json')).size).toBe(9);
    expect([await files.has('a/b.json'), await files.has('a'), await files.has('toString')]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it.each([
    ['nope', 'NOT_FOUND', /mine has no file nope/],
    ['bad.json', 'CORRUPT_FILE', /mine\/bad.json is not JSON/],
    ['bad.txt', 'CORRUPT_FILE', /mine\/bad.txt is not UTF-8/],
    ['../a', 'INVALID_ARGUMENT', /not a relative path/],
  ])('refuses %s', async (path, code, message) => {
    const error = (await files.json(path).catch((thrown: unknown) => thrown)) as Error;
    expect(error).toMatchObject({ code });
    expect(error.message).toMatch(message);
  });
});
