import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sendBytes, serve, serveHub, type TestHub, type TestServer } from '../../test/hub-server';
import { openCheckpoint } from '../checkpoint/open';
import { serializeSafetensors } from '../safetensors/serialize';
import { hubFiles } from './hub-files';
import { httpSource } from './http-source';
import { checkRepoId, safeUrl } from './url';

const body = Uint8Array.from({ length: 1000 }, (_, i) => i % 256);
const retry = { wait: async () => undefined };

describe('httpSource', () => {
  let server: TestServer | undefined;
  afterEach(() => server?.close());

  it('asks for the ranges that are read, and no more', async () => {
    server = await serve((request, response) => sendBytes(request, response, body));
    const source = await httpSource(`${server.url}/file?key=secret`, { retry });
    expect([source.size, source.name]).toEqual([1000, `${server.url}/file`]);
    expect([...(await source.read(10, 3))]).toEqual([10, 11, 12]);
    expect((await source.read(1000, 0)).length).toBe(0);
    expect(server.seen.map(({ headers }) => headers.range)).toEqual(['bytes=0-0', 'bytes=10-12']);
    await expect(source.read(999, 2)).rejects.toMatchObject({ code: 'TRUNCATED_FILE' });
  });

  it('keeps a small file that a server without ranges sends whole', async () => {
    server = await serve((_, response) => response.end(body));
    const source = await httpSource(server.url, { retry });
    expect([source.size, (await source.read(999, 1))[0]]).toEqual([1000, 231]);
    expect(server.seen.length).toBe(1);
  });

  it('refuses a large file from a server without ranges', async () => {
    server = await serve((_, response) => {
      response.writeHead(200, { 'Content-Length': 2 ** 40 });
      response.write(body);
    });
    await expect(httpSource(server.url, { retry })).rejects.toMatchObject({ code: 'NO_RANGE_REQUESTS' });
  });

  it('opens an empty file', async () => {
    server = await serve((request, response) => sendBytes(request, response, new Uint8Array(0)));
    expect((await httpSource(server.url, { retry })).size).toBe(0);
  });

  it('notices that the file was changed', async () => {
    let etag = '"1"';
    server = await serve((request, response) => {
      response.setHeader('ETag', etag);
      sendBytes(request, response, body);
    });
    const source = await httpSource(server.url, { retry });
    etag = '"2"';
    await expect(source.read(0, 1)).rejects.toMatchObject({ code: 'FILE_CHANGED' });
  });

  it.each([
    ['another range', { 'Content-Range': 'bytes 1-1/5' }, 'x'],
    ['a shorter answer', { 'Content-Range': 'bytes 0-0/5' }, ''],
    ['a range without a size', { 'Content-Range': 'bytes 0-0/*' }, 'x'],
    ['no range', {}, 'x'],
  ])('refuses %s', async (_, headers, text) => {
    server = await serve((_request, response) => response.writeHead(206, headers).end(text));
    await expect(httpSource(server.url, { retry })).rejects.toMatchObject({ code: 'HTTP_STATUS' });
  });

  it('tries a failing server again, and then says so', async () => {
    const statuses = [500, 429, 206];
    server = await serve((request, response) => {
      const status = statuses.shift() ?? 503;
      if (status === 206) sendBytes(request, response, body);
      else response.writeHead(status).end();
    });
    const source = await httpSource(server.url, { retry });
    await expect(source.read(0, 1)).rejects.toMatchObject({ code: 'HTTP_STATUS', value: 503 });
    expect(server.seen.length).toBe(3 + 5);
  });

  it('refuses addresses that carry a password, and other schemes', async () => {
    await expect(httpSource('http://user:secret@127.0.0.1/')).rejects.toThrow(/^(?!.*secret).*without a user/);
    await expect(httpSource('file:///etc/passwd')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

describe('hubFiles', () => {
  let hub: TestHub;
  beforeEach(async () => {
    const tensor = { name: 'w', dtype: 'U8', shape: [1000], bytes: body } as const;
    hub = await serveHub({ 'config.json': '{"a":1}', 'model.safetensors': serializeSafetensors([tensor]) });
  });
  afterEach(() => hub.close());
  const files = (revision?: string) =>
    hubFiles({ repo: 'org/model', revision, endpoint: `${hub.url}/`, token: 'hf_secret', retry });

  it('reads a checkpoint by ranges, and gives the token to the hub alone', async () => {
    const checkpoint = await openCheckpoint(files());
    expect([...(await checkpoint.read('w')).bytes.subarray(0, 3)]).toEqual([0, 1, 2]);
    expect(hub.seen[0]).toMatchObject({ method: 'GET', url: '/org/model/resolve/main/model.safetensors' });
    expect(hub.seen.every(({ headers }) => headers.authorization === 'Bearer hf_secret')).toBe(true);
    expect(hub.storage.seen.some(({ headers }) => headers.authorization !== undefined)).toBe(false);
  });

  it('tells a missing file from a missing repository', async () => {
    expect(await files().json('config.json')).toEqual({ a: 1 });
    expect(await files().has('pytorch_model.bin')).toBe(false);
    await expect(files().open('pytorch_model.bin')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(files('no-such-branch').has('config.json')).rejects.toThrow(/no such revision/);
    const other = hubFiles({ repo: 'org/other', endpoint: hub.url, retry });
    await expect(other.has('config.json')).rejects.toThrow(/no such repository.*HF_TOKEN/);
  });
});

it.each(['gpt2', 'microsoft/DialoGPT-medium', 'a/b.c-d_e', '_x/y'])('takes %s as a repository id', (id) => {
  expect(() => checkRepoId(id)).not.toThrow();
});

it.each(['a/b/c', 'a--b', 'a/b..c', '-a', 'a-', '.a/b', 'a/b.git', 'a/', '/a', 'a b', 'a'.repeat(97), 'a/../b', 'é'])(
  'refuses %s as a repository id',
  (id) => {
    expect(() => checkRepoId(id)).toThrow(/neither a folder nor a repository/);
  },
);

it('leaves what is secret out of an address', () => {
  expect(safeUrl('https://user:pass@cdn.example/a/b?Signature=s#f')).toBe('https://cdn.example/a/b');
});
