import { describe, expect, it } from 'vitest';
import { bytesSource, type ByteSource } from '../files/byte-source';
import { jsonlRows } from './jsonl-rows';
import { mapRows, rowStream, shuffleRows, type RowStream } from './row-stream';

const numbers = (count: number): RowStream<{ n: number }> =>
  rowStream(() => Array.from({ length: count }, (_, n) => ({ n })), { length: count });

async function all<Row extends object>(stream: RowStream<Row>, epoch = 0): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const row of stream.rows(epoch)) rows.push(row);
  return rows;
}
const ns = async (stream: RowStream<{ n: number }>, epoch = 0): Promise<number[]> =>
  (await all(stream, epoch)).map(({ n }) => n);

describe('rowStream', () => {
  it('holds rows to their length', async () => {
    const of = (count: number, length: number): Promise<unknown> =>
      all(rowStream(() => Array.from({ length: count }, (_, n) => ({ n })), { length }));
    await expect(of(2, 3)).rejects.toThrow('the stream ended after 2 rows, but its length is 3');
    await expect(of(4, 3)).rejects.toThrow("there are more rows than the stream's length, 3");
    expect(() => rowStream(() => [], { length: 1.5 })).toThrow('length is a number of rows, got 1.5');
  });
});

describe('shuffleRows', () => {
  it('gives every row once, in an order of its own for each seed and epoch, and the same one again', async () => {
    const stream = shuffleRows(numbers(50), { bufferSize: 10, seed: 3 });
    const [first, again, next] = [await ns(stream), await ns(stream), await ns(stream, 1)];
    const other = await ns(shuffleRows(numbers(50), { bufferSize: 10, seed: 4 }));
    expect([...first].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, n) => n));
    expect(again).toEqual(first);
    expect(next).not.toEqual(first);
    expect(other).not.toEqual(first);
    expect(stream.length).toBe(50);
  });

  it('looks no further ahead than its buffer', async () => {
    const order = await ns(shuffleRows(numbers(50), { bufferSize: 10 }));
    order.forEach((n, place) => expect(n).toBeLessThanOrEqual(place + 10));
    expect(await ns(shuffleRows(numbers(5), { bufferSize: 1 }))).toEqual([0, 1, 2, 3, 4]);
    expect(() => shuffleRows(numbers(5), { bufferSize: 0 })).toThrow('bufferSize is a positive integer, got 0');
  });
});

describe('mapRows', () => {
  it('turns some rows at a time into others, and the rest', async () => {
    const calls: [number, number][] = [];
    const doubled = mapRows(
      numbers(7),
      (rows, from) => {
        calls.push([rows.length, from]);
        return rows.map(({ n }) => ({ n: 2 * n }));
      },
      { batchSize: 3 },
    );
    expect(await ns(doubled)).toEqual([0, 2, 4, 6, 8, 10, 12]);
    expect(calls).toEqual([
      [3, 0],
      [3, 3],
      [1, 6],
    ]);
    expect(doubled.length).toBe(7);
  });

  it('refuses another number of rows', async () => {
    await expect(all(mapRows(numbers(2), () => [{ n: 1 }]))).rejects.toThrow('2 rows from 0 on became 1');
  });
});

describe('jsonlRows', () => {
  /** A source that tells how much was read at a time. */
  function watched(text: string): ByteSource & { readonly largest: () => number } {
    const source = bytesSource(text, 'rows.jsonl');
    let largest = 0;
    const read = (offset: number, length: number): Promise<Uint8Array> => {
      largest = Math.max(largest, length);
      return source.read(offset, length);
    };
    return { ...source, read, largest: () => largest };
  }

  it('reads lines across blocks, and never the whole file', async () => {
    const wanted = Array.from({ length: 20_000 }, (_, n) => ({ text: `Grüße ${n} €`, label: n % 7 }));
    const source = watched(wanted.map((row) => JSON.stringify(row)).join('\r\n') + '\n\n');
    expect(source.size).toBeGreaterThan(700_000);
    expect(await all(jsonlRows(source))).toEqual(wanted);
    expect(source.largest()).toBe(1 << 18);
  });

  it('takes a last line without an end, and a file without lines', async () => {
    expect(await all(jsonlRows(bytesSource('{"a":1}\n{"a":2}', 'x')))).toEqual([{ a: 1 }, { a: 2 }]);
    expect(await all(jsonlRows(bytesSource('', 'x')))).toEqual([]);
  });

  it.each([
    ['{"a":1}\n[2]\n', /^x, line 2: a row is one JSON object/],
    ['{"a":1}\n\n{"a"', /^x, line 3: not JSON/],
    [Uint8Array.of(0x7b, 0xff, 0x7d), /^x is not UTF-8/],
  ])('refuses %j', async (content, message) => {
    await expect(all(jsonlRows(bytesSource(content, 'x')))).rejects.toThrow(message);
  });

  it('refuses a line that grows without end', async () => {
    const source = bytesSource(`{"a":"${'x'.repeat(600_000)}`, 'x');
    await expect(all(jsonlRows(source, { maxLineBytes: 300_000 }))).rejects.toThrow(
      /x, line 1: it is longer than 300000/,
    );
  });
});
