import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadTextDataset } from '@qlora-js/data';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { findData } from './open-data';

const CSV = `text,label\n${Array.from({ length: 4 }, (_, i) => `text ${i},${i % 2}`).join('\n')}\n`;
const TREE = [
  { type: 'directory', path: 'default' },
  { type: 'file', path: 'default/train/0000.parquet' },
  { type: 'file', path: 'other/train/0000.parquet' },
];
let cache: string;
const seen: string[] = [];
const server = createServer((request, response) => {
  const url = request.url ?? '';
  seen.push(`${request.headers.authorization ?? ''} ${url}`.trim());
  const headers = { 'X-Repo-Commit': 'a'.repeat(40), ETag: `"etag-${url.length}"` };
  if (url.startsWith('/api/datasets/organisation/none')) response.writeHead(404).end();
  else if (url.startsWith('/api/')) {
    const listing = url.includes('/tree/main?') ? [{ type: 'file', path: 'train.csv' }] : TREE;
    response.end(JSON.stringify(listing));
  } else {
    response.writeHead(200, { ...headers, 'Content-Length': Buffer.byteLength(CSV) });
    response.end(request.method === 'HEAD' ? undefined : CSV);
  }
});

beforeEach(async () => {
  seen.length = 0;
  cache = await mkdtemp(join(tmpdir(), 'finetune-data-'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  vi.stubEnv('HF_ENDPOINT', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  vi.stubEnv('HF_HUB_CACHE', cache);
  vi.stubEnv('HF_TOKEN', 'secret');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(cache, { recursive: true });
});

it("lists a data set's Parquet files, of its default configuration or the one that is named", async () => {
  expect(await (await findData('datasets/organisation/set')).list()).toEqual(['default/train/0000.parquet']);
  const other = await findData('hf://organisation/set', { config: 'other' });
  expect(await other.list()).toEqual(['other/train/0000.parquet']);
  expect(seen[0]).toBe('Bearer secret /api/datasets/organisation/set/tree/refs%2Fconvert%2Fparquet?recursive=true');
});

it('reads the files of a branch that is named', async () => {
  const { train } = await loadTextDataset(await findData('datasets/organisation/set', { hub: { revision: 'main' } }), {
    validation: 0,
    testShare: 0,
  });
  expect(train.column('label')).toEqual(['0', '1', '0', '1']);
});

it('names the configurations there are, and a data set that is not there', async () => {
  await expect(findData('datasets/organisation/set', { config: 'third' })).rejects.toThrow(
    'organisation/set has the configurations default, other; name one of them',
  );
  await expect(findData('datasets/organisation/none')).rejects.toThrow(
    /organisation\/none can't be listed: the hub answers 404/,
  );
});

it('reads offline what an earlier run has read, from the cache that is named, and says so where there is nothing', async () => {
  const hub = { revision: 'main', cacheDir: cache, token: 'other' };
  const found = async (own: object): Promise<unknown> =>
    (await loadTextDataset(await findData('datasets/organisation/set', { hub: { ...hub, ...own } }), { validation: 0, testShare: 0 })).train.column('label'); // prettier-ignore
  await expect(found({ offline: true })).rejects.toThrow(/not in the cache .*offline mode is on/);
  const labels = await found({});
  expect(seen[0]).toBe('Bearer other /api/datasets/organisation/set/tree/main?recursive=true');
  const asked = seen.length;
  expect(await found({ offline: true })).toEqual(labels);
  expect(seen.length).toBe(asked);
});
