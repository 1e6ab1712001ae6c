import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readUrl } from './read-url';

describe('readUrl', () => {
  let server: Server;
  let address = '';

  beforeAll(async () => {
    server = createServer((request, response) => {
      response.statusCode = request.url === '/weights/none.bin' ? 404 : 200;
      if (request.url === '/weights/page.bin') response.setHeader('content-type', 'text/html; charset=utf-8');
      response.end(Uint8Array.of(1, 2, 3));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterAll(() => {
    server.close();
  });

  it('fetches what is not on disk, as in browsers', async () => {
    expect([...(await readUrl(new URL(`${address}/weights/a.bin`)))]).toEqual([1, 2, 3]);
  });

  it('says how much of a file has come', async () => {
    const seen: [number, number | undefined][] = [];
    const bytes = await readUrl(new URL(`${address}/weights/a.bin`), (...progress) => seen.push(progress));
    expect([...bytes]).toEqual([1, 2, 3]);
    expect(seen.at(-1)).toEqual([3, 3]);
  });

  it('says which file a server or a folder lacks', async () => {
    await expect(readUrl(new URL(`${address}/weights/none.bin`))).rejects.toMatchObject({
      code: 'UNREADABLE',
      message: expect.stringMatching(/none\.bin.*404/) as string,
    });
    await expect(readUrl(new URL(`${address}/weights/page.bin`))).rejects.toMatchObject({
      code: 'UNREADABLE',
      message: expect.stringMatching(/page\.bin.*answered with a page.*optimizeDeps/) as string,
    });
    await expect(readUrl(new URL('../weights/none.bin', import.meta.url))).rejects.toMatchObject({
      code: 'UNREADABLE',
      message: expect.stringMatching(/none\.bin.*ENOENT/) as string,
    });
  });
});
