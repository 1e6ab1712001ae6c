import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { rowStream, type RowStream } from '../stream/row-stream';
import { cachedRows, fileSha256, type CacheKey } from './row-cache';

type Row = { input_ids: number[] | Int32Array; label: number | number[] };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'row-cache-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Rows that say how often they were made. */
function made(rows: readonly Row[]): RowStream<Row> & { readonly times: () => number } {
  let times = 0;
  return {
    ...rowStream(() => {
      times++;
      return rows;
    }),
    times: () => times,
  };
}

async function all(stream: RowStream<Row>): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const row of stream.rows(0)) rows.push(row);
  return rows;
}

const ROWS: Row[] = [
  { input_ids: Int32Array.of(1, 2), label: 0 },
  { input_ids: [3], label: [0, 1] },
];
const STORED = [
  { input_ids: [1, 2], label: 0 },
  { input_ids: [3], label: [0, 1] },
];
const open = (rows: RowStream<Row>, key: CacheKey = { data: 'a', maxLength: 8 }, lines: string[] = []) =>
  cachedRows({ folder, key, rows, log: (line) => void lines.push(line) });

it('makes rows once for what they depend on, in any order of the key, and again for anything else', async () => {
  const source = made(ROWS);
  const first = await open(source);
  expect([first.length, await all(first)]).toEqual([2, STORED]);
  const second = await open(source, { maxLength: 8, data: 'a' });
  expect(await all(second)).toEqual(STORED);
  expect([source.times(), second.fingerprint]).toEqual([1, first.fingerprint]);
  await open(source, { data: 'a', maxLength: 9 });
  expect(source.times()).toBe(2);
});

it.each([
  [
    'a byte of the rows',
    async (name: string) => {
      const bytes = await readFile(join(folder, `${name}.jsonl`));
      bytes[15]! ^= 1;
      await writeFile(join(folder, `${name}.jsonl`), bytes);
    },
  ],
  ['the rows', (name: string) => rm(join(folder, `${name}.jsonl`))],
  ['the manifest', (name: string) => writeFile(join(folder, `${name}.json`), '{"format": 1')],
])('makes the rows again where %s is damaged', async (_, damage) => {
  const source = made(ROWS);
  await open(source);
  const [name] = (await readdir(folder))[0]!.split('.');
  await damage(name!);
  expect(await all(await open(source))).toEqual(STORED);
  expect(source.times()).toBe(2);
});

it('leaves nothing half-written where the rows fail, and clears what a dead process has left', async () => {
  const failing = rowStream<Row>(function* () {
    yield ROWS[0]!;
    throw new RangeError('no more');
  });
  await expect(open(failing)).rejects.toThrow('no more');
  expect(await readdir(folder)).toEqual([]);
  await open(made(ROWS));
  const [name] = (await readdir(folder))[0]!.split('.');
  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  await writeFile(join(folder, `${name}.partial-${dead}`), 'half');
  await rm(join(folder, `${name}.json`));
  await open(made(ROWS));
  expect((await readdir(folder)).sort()).toEqual([`${name}.json`, `${name}.jsonl`]);
});

it('says where rows cannot be kept', async () => {
  await writeFile(join(folder, 'file'), '');
  const rows = made(ROWS);
  await expect(
    cachedRows({ folder: join(folder, 'file', 'cache'), key: {}, rows, log: () => undefined }),
  ).rejects.toMatchObject({
    code: 'UNWRITABLE',
  });
});

it('hashes a file', async () => {
  await writeFile(join(folder, 'abc'), 'abc');
  expect(await fileSha256(join(folder, 'abc'))).toBe(
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  );
  await expect(fileSha256(join(folder, 'none'))).rejects.toThrow(/cannot read/);
});
