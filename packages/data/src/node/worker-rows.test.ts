import { expect, it } from 'vitest';
import type { CountedRows } from '../testing/counted-rows';
import { serveRows, workerRows } from './worker-rows';

const module = new URL('../testing/counted-rows.ts', import.meta.url);
const counted = (setup: CountedRows) =>
  workerRows<{ input_ids: number[] }, CountedRows>({ module, setup, length: setup.count, chunksAhead: 2 });

async function idsOf(setup: CountedRows, epoch = 0): Promise<number[][]> {
  const ids: number[][] = [];
  for await (const row of counted(setup).rows(epoch)) ids.push(row.input_ids);
  return ids;
}

it('gives every row of an epoch in order, however the chunks fall', async () => {
  expect(await idsOf({ count: 10 }, 4)).toEqual(Array.from({ length: 10 }, (_, row) => [4, row]));
});

it('ends the thread where nobody reads on', async () => {
  const seen: number[] = [];
  for await (const { input_ids: ids } of counted({ count: 1_000_000 }).rows(0)) {
    seen.push(ids[1]!);
    if (seen.length === 5) break;
  }
  expect(seen).toEqual([0, 1, 2, 3, 4]);
});

it('passes on what the thread throws, after the rows before it, and says where it ends by itself', async () => {
  await expect(idsOf({ count: 10, failAt: 7, how: 'throw' })).rejects.toMatchObject({
    code: 'INVALID_ROW',
    message: 'row 7 is none',
  });
  await expect(idsOf({ count: 10, failAt: 1, how: 'exit' })).rejects.toMatchObject({
    code: 'WORKER_FAILED',
    message: 'the thread that makes rows ended with exit code 7',
  });
  const missing = workerRows({ module: new URL('./no-such-module.js', import.meta.url), setup: {} });
  await expect(missing.rows(0)[Symbol.asyncIterator]().next()).rejects.toThrow(/no-such-module/);
});

it('refuses to serve on the main thread, and to make nothing ahead', () => {
  // A test file runs in a process of its own, on its main thread.
  expect(() => serveRows(() => [])).toThrow(/for modules that workerRows runs/);
  expect(() => workerRows({ module, setup: {}, chunksAhead: 0 })).toThrow('chunksAhead is a positive integer, got 0');
});
