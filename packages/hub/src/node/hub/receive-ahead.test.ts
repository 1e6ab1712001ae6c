import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sendBytes, serveHub, type TestHub } from '../../../test/hub-server';
import { resolveModel } from '../resolve-model';
import { type ResolveModelOptions } from './settings';

const content = Uint8Array.from({ length: 10_500 }, (_, i) => (i * 31) >> 3);
let folder: string;
let hub: TestHub;
let options: ResolveModelOptions;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qlora-ranges-'));
  hub = await serveHub({ 'a.bin': content });
  const retry = { wait: async () => undefined };
  options = { endpoint: hub.url, cacheDir: folder, token: '', retry, connections: 3, rangeBytes: 1000 };
});

afterEach(async () => {
  await hub.close();
  await rm(folder, { recursive: true, force: true });
});

const fetched = async (): Promise<Uint8Array> => {
  const source = await (await resolveModel('org/model', options)).open('a.bin');
  return source.read(0, source.size);
};
const ranges = (): (string | undefined)[] => hub.storage.seen.map(({ headers }) => headers.range);

describe('a large file', () => {
  it('comes by several connections, each range once, in the order of the file', async () => {
    const open: (() => void)[] = [];
    let most = 0;
    hub.intercept = (request, response) => {
      open.push(() => sendBytes(request, response, content));
      most = Math.max(most, open.length);
      // The first range is answered alone; later ones once three wait, the last asked for first.
      const started = hub.storage.seen.length;
      if (started === 1 || open.length === 3 || started >= 10) for (const send of open.splice(0).reverse()) send();
    };
    expect(await fetched()).toEqual(content);
    expect(most).toBeGreaterThan(1);
    const starts = Array.from({ length: 11 }, (_, i) => i * 1000);
    expect(ranges().sort()).toEqual(starts.map((at) => `bytes=${at}-${Math.min(at + 1000, 10_500) - 1}`).sort());
  });

  it('goes on from where a broken connection left it', async () => {
    let broken = false;
    hub.intercept = (request, response) => {
      if (!broken && request.headers.range === 'bytes=4000-4999') {
        broken = true;
        response.writeHead(206, { 'Content-Range': 'bytes 4000-4999/10500', 'Content-Length': 1000 });
        response.write(content.subarray(4000, 4100), () => response.destroy());
      } else sendBytes(request, response, content);
    };
    expect(await fetched()).toEqual(content);
    expect(broken).toBe(true);
    expect(ranges().filter((range) => range === 'bytes=0-999')).toHaveLength(1);
    expect(await readdir(join(folder, 'models--org--model/blobs'))).toHaveLength(1);
  });

  it('comes whole from a server that ignores ranges', async () => {
    hub.intercept = (_, response) => void response.writeHead(200, { 'Content-Length': content.length }).end(content);
    expect(await fetched()).toEqual(content);
    expect(ranges()).toEqual(['bytes=0-999']);
  });

  it('is refused where a server sends another range', async () => {
    hub.intercept = (_, response) =>
      void response.writeHead(206, { 'Content-Range': 'bytes 0-499/10500' }).end(content.subarray(0, 500));
    await expect(fetched()).rejects.toMatchObject({ code: 'HTTP_STATUS' });
  });

  it('comes by one connection where that is asked for, and none is refused', async () => {
    options.connections = 1;
    expect(await fetched()).toEqual(content);
    expect(ranges()).toEqual([undefined]);
    options.connections = 0;
    await expect(fetched()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', value: 0 });
  });
});
