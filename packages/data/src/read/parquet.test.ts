import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataError } from '../errors';
import { bytesSource } from '../files/byte-source';
import { readParquet } from './parquet';

/** Made by tools/python/golden_parquet.py. */
const golden = async (name: string): Promise<Uint8Array> =>
  new Uint8Array(await readFile(new URL(`../../goldens/${name}.parquet`, import.meta.url)));

describe('readParquet', () => {
  it.each(['none', 'snappy', 'zstd', 'gzip'])("reads pyarrow's file packed by %s", async (codec) => {
    const { dataset, numbers } = await readParquet(bytesSource(await golden(`table.${codec}`), 'table.parquet'));
    expect(dataset.columnNames).toEqual(['text', 'score', 'stars', 'tags']);
    expect(dataset.numRows).toBe(20);
    expect(dataset.toRows().slice(16)).toEqual([
      { text: 'where is my card', score: 0.5, stars: 5, tags: ['a', 'b'] },
      { text: 'it says "declined"', score: -1.25, stars: 1, tags: [] },
      { text: 'zażółć gęślą jaźń 🙂', score: 3, stars: null, tags: ['b'] },
      { text: 'two\nlines', score: 2.75, stars: 4, tags: null },
    ]);
    expect(numbers.at(-1)).toBe(20);
  });

  it("knows the names of the classes that Hugging Face's datasets writes along", async () => {
    const { dataset, classNames } = await readParquet(bytesSource(await golden('class-labels'), 'x'));
    expect(classNames.get('label')).toEqual(['negative', 'neutral', 'positive']);
    expect(dataset.column('label').slice(0, 4)).toEqual([0, 1, 2, 0]);
  });

  it('refuses what is over the limits before it reads a page', async () => {
    const source = bytesSource(await golden('table.snappy'), 'table.parquet');
    await expect(readParquet(source, { maxBytes: 1e6, maxValues: 10 })).rejects.toThrow(
      /^table\.parquet: it announces 80 values, more than 10/,
    );
    await expect(readParquet(source, { maxBytes: 100, maxValues: 1e6 })).rejects.toThrow(
      /3305 bytes are more than 100/,
    );
  });

  it('refuses damaged files by its own error alone', async () => {
    const whole = await golden('table.snappy');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        async (changes) => {
          const bytes = whole.slice();
          for (const [at, value] of changes) bytes[at] = value;
          const limits = { maxBytes: 1e6, maxValues: 1e5 };
          await readParquet(bytesSource(bytes, 'x'), limits).catch((error: unknown) => {
            if (!DataError.isInstance(error)) throw error;
          });
        },
      ),
      { numRuns: 300 },
    );
  });
});
