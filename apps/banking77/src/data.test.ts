import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TrainValues } from '@qlora-js/cli';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { findBankingData } from './data';

const FILES: Record<string, string> = {
  'categories.json': '["lost_card", "top_up"]',
  'train.csv': `text,category\n${Array.from({ length: 20 }, (_, i) => `text ${i},${i % 2 === 0 ? 'lost_card' : 'top_up'}`).join('\n')}\n`,
  'test.csv': 'text,category\nwhere is my card,lost_card\n',
};
const VALUES = { seed: 1, testSize: 0.1, stratify: false } as TrainValues;

let cache: string;
const seen: string[] = [];
const server = createServer((request, response) => {
  const url = request.url ?? '';
  seen.push(url);
  const file = FILES[url.replace(/^\/datasets\/PolyAI\/banking77\/resolve\/[^/]+\//, '')];
  const headers = { 'X-Repo-Commit': 'a'.repeat(40), ETag: `"${'b'.repeat(40)}${url.length}"` };
  if (file === undefined) response.writeHead(404, { ...headers, 'X-Error-Code': 'EntryNotFound' }).end();
  else {
    response.writeHead(200, { ...headers, 'Content-Length': Buffer.byteLength(file) });
    response.end(request.method === 'HEAD' ? undefined : file);
  }
});

beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'qlora-data-'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  vi.stubEnv('HF_ENDPOINT', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  vi.stubEnv('HF_HUB_CACHE', cache);
  vi.stubEnv('HF_TOKEN', '');
});

afterEach(async () => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(cache, { recursive: true });
});

it('--data hub reads the data set of that name from the hub', async () => {
  const data = await findBankingData({ ...VALUES, data: 'hub' });
  expect([data!.train.numRows, data!.validation.numRows, data!.test.numRows]).toEqual([18, 2, 1]);
  expect(data!.labelMap!.names).toEqual(['lost_card', 'top_up']);
  expect(seen[0]).toBe('/datasets/PolyAI/banking77/resolve/main/train.csv');
});

it('takes the generated queries without --data, and leaves other words to the usual ways', async () => {
  const data = await findBankingData({ ...VALUES, data: undefined });
  expect([data!.train.numRows, data!.validation.numRows, data!.test.numRows, data!.labelMap!.size]).toEqual([
    1400, 200, 400, 20,
  ]);
  expect(await findBankingData({ ...VALUES, data: 'queries.csv' })).toBeUndefined();
});
