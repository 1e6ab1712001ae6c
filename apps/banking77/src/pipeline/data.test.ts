import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { loadTexts } from './data';

const FILES: Record<string, string> = {
  'categories.json': '["lost_card", "top_up"]',
  'train.csv': `text,category\n${Array.from({ length: 20 }, (_, i) => `text ${i},${i % 2 === 0 ? 'lost_card' : 'top_up'}`).join('\n')}\n`,
  'test.csv': 'text,category\nwhere is my card,lost_card\n',
};

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
  const { train, validation, test, labelMap } = await loadTexts({
    data: 'hub',
    seed: 1,
    testSize: 0.1,
    stratify: false,
  });
  expect([train.numRows, validation.numRows, test.numRows]).toEqual([18, 2, 1]);
  expect(labelMap.names).toEqual(['lost_card', 'top_up']);
  expect(seen[0]).toBe('/datasets/PolyAI/banking77/resolve/main/train.csv');
});
