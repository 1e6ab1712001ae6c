import { spawnSync } from 'node:child_process';
import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { gitId, serve, serveHub, sha256, type TestHub } from '../../test/hub-server';
import { openCheckpoint } from '../checkpoint/open';
import { HubError } from '../error';
import { serializeSafetensors } from '../safetensors/serialize';
import { type DownloadProgress, type ResolveModelOptions } from './hub/settings';
import { resolveModel } from './resolve-model';

const config = '{"n_embd": 4}';
const weights = serializeSafetensors([
  { name: 'w', dtype: 'U8', shape: [300_000], bytes: Uint8Array.from({ length: 300_000 }, (_, i) => i % 251) },
]);
const etag = sha256(weights);
const token = 'hf_aVerySecretToken';

let folder: string;
let hub: TestHub;
let waits: number[];
let options: ResolveModelOptions;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qlora-hub-'));
  hub = await serveHub({ 'config.json': config, 'model.safetensors': weights, 'nested/a b.txt': 'text' });
  waits = [];
  const wait = async (milliseconds: number): Promise<void> => void waits.push(milliseconds);
  cut = undefined;
  const onProgress = ({ receivedBytes }: DownloadProgress): void => cut?.(receivedBytes);
  options = { endpoint: hub.url, cacheDir: folder, token, retry: { wait }, onProgress };
});

afterEach(async () => {
  await hub.close();
  await rm(folder, { recursive: true, force: true });
});

const repo = (...parts: string[]): string => join(folder, 'models--org--model', ...parts);
const open = (more: ResolveModelOptions = {}) => resolveModel('org/model', { ...options, ...more });
const failure = async (run: Promise<unknown>): Promise<HubError> => {
  const error = await run.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!HubError.isInstance(error)) throw new Error(`expected a HubError, not ${String(error)}`);
  for (const text of [error.message, error.stack, JSON.stringify(error)]) {
    expect(text).not.toContain(token);
    expect(text).not.toContain('secret-signature');
  }
  return error;
};
let cut: ((receivedBytes: number) => void) | undefined;
/** Lets the first bytes of the next GET to the storage through, and cuts the line once they have come. */
const cutAfter = (bytes: number): TestHub['interrupts'][number] => {
  return (request, response) => {
    if (!request.url.includes('Signature')) return false;
    response.writeHead(200, { 'Content-Length': weights.length });
    response.write(weights.subarray(0, bytes));
    cut = (receivedBytes) => receivedBytes >= bytes && response.destroy();
    return true;
  };
};

describe('resolveModel on a hub', () => {
  it("lays files out as Hugging Face's cache does", async () => {
    const files = await open();
    expect(await files.json('config.json')).toEqual({ n_embd: 4 });
    expect(await files.text('nested/a b.txt')).toBe('text');
    const checkpoint = await openCheckpoint(files);
    expect((await checkpoint.read('w')).bytes.subarray(0, 3)).toEqual(Uint8Array.of(0, 1, 2));

    expect((await readdir(repo('blobs'))).sort()).toEqual(
      [gitId(Buffer.from(config)), gitId(Buffer.from('text')), etag].sort(),
    );
    expect(await readlink(repo('snapshots', hub.commit, 'model.safetensors'))).toBe(`../../blobs/${etag}`);
    expect(await readlink(repo('snapshots', hub.commit, 'nested/a b.txt'))).toMatch(/^\.\.\/\.\.\/\.\.\/blobs\//);
    expect(await readFile(repo('refs/main'), 'utf8')).toBe(hub.commit);
  });

  it('takes data sets by their address, into a folder of their own', async () => {
    const files = await resolveModel('datasets/org/set', options);
    expect(await files.text('config.json')).toBe(config);
    expect(hub.seen[0]!.url).toBe('/datasets/org/set/resolve/main/config.json');
    expect(await readFile(join(folder, 'datasets--org--set', 'refs/main'), 'utf8')).toBe(hub.commit);
    expect((await failure(resolveModel('datasets/a/b/c', options))).code).toBe('NOT_FOUND');
  });

  it('gives the token to the hub, never to the host it redirects to', async () => {
    await openCheckpoint(await open());
    expect(hub.storage.seen.length).toBeGreaterThan(0);
    expect(hub.seen.every(({ headers }) => headers.authorization === `Bearer ${token}`)).toBe(true);
    expect(hub.storage.seen.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
  });

  it('downloads once, and asks no more than which commit a branch stands for', async () => {
    await openCheckpoint(await open());
    const first = hub.seen.length;
    await openCheckpoint(await open());
    expect(hub.seen.slice(first).map(({ method, url }) => `${method} ${url}`)).toEqual([
      'HEAD /org/model/resolve/main/model.safetensors',
    ]);
  });

  it('asks nothing about a cached commit', async () => {
    await openCheckpoint(await open());
    const first = hub.seen.length;
    const files = await open({ revision: hub.commit });
    await openCheckpoint(files);
    expect(hub.seen.length).toBe(first);
  });

  it('downloads a file once for callers at the same time', async () => {
    const files = await open();
    await Promise.all([files.open('model.safetensors'), files.open('model.safetensors'), openCheckpoint(files)]);
    expect(hub.storage.seen.length).toBe(1);
  });

  it('says what is not there, and remembers it', async () => {
    const files = await open();
    expect(await files.has('pytorch_model.bin')).toBe(false);
    expect((await lstat(repo('.no_exist', hub.commit, 'pytorch_model.bin'))).size).toBe(0);
    const error = await failure(files.open('pytorch_model.bin'));
    expect(error).toMatchObject({ code: 'NOT_FOUND', value: 'pytorch_model.bin' });
  });

  it('asks once what a commit does not have', async () => {
    const count = (): number => hub.seen.filter(({ url }) => url.includes('pytorch_model')).length;
    for (const revision of [undefined, hub.commit]) {
      const files = await open({ revision });
      await files.text('config.json');
      expect([await files.has('pytorch_model.bin'), count()]).toEqual([false, 1]);
    }
  });

  it('says why the cache can not be written', async () => {
    await writeFile(join(folder, 'file'), '');
    const error = await failure((await open({ cacheDir: join(folder, 'file') })).text('config.json'));
    expect(error.code).toBe('NOT_WRITABLE');
    expect(error.message).toMatch(/cacheDir, HF_HUB_CACHE.*is a file, not a folder/);
  });

  it('knows before a download that the disk has no room for it', async () => {
    hub.interrupts.push((_, response) => {
      const headers = { 'X-Repo-Commit': 'abc', 'X-Linked-ETag': etag, 'X-Linked-Size': 2 ** 52 };
      response.writeHead(200, headers).end();
      return true;
    });
    const error = await failure((await open()).open('model.safetensors'));
    expect([error.code, error.value]).toEqual(['NOT_WRITABLE', 2 ** 52]);
    expect(error.message).toMatch(/needs 4503599627370496 more bytes.*Make room/);
  });

  it('reports progress up to the whole', async () => {
    const seen: DownloadProgress[] = [];
    const files = await open({ onProgress: (progress) => seen.push(progress) });
    await files.open('model.safetensors');
    const total = { repo: 'org/model', file: 'model.safetensors', totalBytes: weights.length };
    expect(seen[0]).toMatchObject({ ...total, receivedBytes: 0, done: false, bytesPerSecond: undefined });
    expect(seen.at(-1)).toMatchObject({ ...total, receivedBytes: weights.length, done: true, secondsLeft: 0 });
    expect(seen.every(({ receivedBytes }, i) => receivedBytes >= (seen[i - 1]?.receivedBytes ?? 0))).toBe(true);
  });

  it('takes all files from one commit while the branch moves', async () => {
    const files = await open();
    await files.text('config.json');
    const old = hub.commit;
    hub.interrupts.push((request, response) => {
      if (!request.url.includes('/main/')) return false;
      response.writeHead(200, { 'X-Repo-Commit': 'f'.repeat(40), ETag: '"new"', 'Content-Length': 1 }).end();
      return true;
    });
    await files.open('model.safetensors');
    expect(await readdir(repo('snapshots'))).toEqual([old]);
    expect(hub.seen.at(-1)!.url).toBe(`/org/model/resolve/${old}/model.safetensors`);
  });

  describe('broken connections', () => {
    it('goes on where the line was cut, with a Range request', async () => {
      hub.interrupts.push(cutAfter(10_000));
      await openCheckpoint(await open());
      expect(hub.storage.seen.map(({ headers }) => headers.range)).toEqual([undefined, 'bytes=10000-']);
      expect(waits.length).toBe(1);
      expect(sha256(await readFile(repo('blobs', etag)))).toBe(etag);
    });

    it('goes on from what another process left', async () => {
      await mkdir(repo('blobs'), { recursive: true });
      await writeFile(repo('blobs', `${etag}.incomplete`), weights.subarray(0, 1234));
      await (await open()).open('model.safetensors');
      expect(hub.storage.seen.map(({ headers }) => headers.range)).toEqual(['bytes=1234-']);
      expect(sha256(await readFile(repo('blobs', etag)))).toBe(etag);
      expect(await readdir(repo('blobs'))).toEqual([etag]);
    });

    it('starts once more where what was left is of something else', async () => {
      await mkdir(repo('blobs'), { recursive: true });
      await writeFile(repo('blobs', `${etag}.incomplete`), new Uint8Array(1234));
      await (await open()).open('model.safetensors');
      expect(hub.storage.seen.map(({ headers }) => headers.range)).toEqual(['bytes=1234-', undefined]);
      expect(sha256(await readFile(repo('blobs', etag)))).toBe(etag);
    });

    it('takes the whole from a server without Range requests', async () => {
      hub.interrupts.push(cutAfter(10_000), (request, response) => {
        if (!request.url.includes('Signature')) return false;
        response.writeHead(200, { 'Content-Length': weights.length }).end(weights);
        return true;
      });
      await (await open()).open('model.safetensors');
      expect(sha256(await readFile(repo('blobs', etag)))).toBe(etag);
    });

    it('gives up after the attempts allowed, and keeps what came', async () => {
      hub.interrupts.push(...Array.from({ length: 9 }, () => cutAfter(1000)));
      const error = await failure((await open()).open('model.safetensors'));
      expect([error.code, waits.length]).toEqual(['NETWORK', 4]);
      expect(await readFile(repo('blobs', `${etag}.incomplete`))).toHaveLength(1000);
      expect(await readdir(repo('blobs'))).toEqual([`${etag}.incomplete`]);
    });

    it('gives up on a server that falls silent', async () => {
      const silent = (): boolean => true;
      hub.interrupts.push(silent, silent);
      const files = await open({ stallMilliseconds: 20, retry: { ...options.retry, attempts: 2 } });
      const error = await failure(files.text('config.json'));
      expect(error.code).toBe('NETWORK');
      expect(error.message).toMatch(/sent nothing for 0.02 s/);
    });

    it('says so where nobody listens, and how to use the cache', async () => {
      await (await open()).text('config.json');
      await hub.close();
      const error = await failure((await open()).text('config.json'));
      expect(error.code).toBe('NETWORK');
      expect(error.message).toMatch(/ECONNREFUSED.*HF_HUB_OFFLINE=1/s);
    });
  });

  it('refuses content that is not what the hub describes, and leaves none of it', async () => {
    const wrong = Uint8Array.from(weights);
    wrong[weights.length - 1]! ^= 1;
    hub.interrupts.push((request, response) => {
      if (!request.url.includes('Signature')) return false;
      response.writeHead(200).end(wrong);
      return true;
    });
    const error = await failure((await open()).open('model.safetensors'));
    expect(error.code).toBe('CHECKSUM');
    expect(await readdir(repo('blobs'))).toEqual([]);
  });

  it.each([
    [401, { 'X-Error-Code': 'RepoNotFound' }, 'NOT_FOUND', /no such repository.*token/],
    [401, {}, 'UNAUTHORIZED', /token/],
    [403, { 'X-Error-Code': 'GatedRepo' }, 'GATED', /access.*granted/],
    [403, {}, 'UNAUTHORIZED', /refuses access/],
    [404, { 'X-Error-Code': 'RevisionNotFound' }, 'NOT_FOUND', /no such revision/],
    [418, {}, 'HTTP_STATUS', /418/],
  ])('explains status %d %j without trying again', async (status, headers, code, message) => {
    hub.interrupts.push((_, response) => {
      response.writeHead(status, headers).end();
      return true;
    });
    const error = await failure((await open()).text('config.json'));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(waits).toEqual([]);
  });

  it('waits as long as a busy server asks, and tries failing ones again', async () => {
    hub.interrupts.push(
      (_, response) => Boolean(response.writeHead(429, { 'Retry-After': '7' }).end()),
      (_, response) => Boolean(response.writeHead(503).end()),
    );
    expect(await (await open()).text('config.json')).toBe(config);
    expect(waits[0]).toBe(7000);
    expect(waits[1]).toBeGreaterThan(700);
    expect(waits[1]).toBeLessThan(1300);
  });

  it('does not wait for hours', async () => {
    hub.interrupts.push((_, response) => Boolean(response.writeHead(429, { 'Retry-After': '3600' }).end()));
    const error = await failure((await open()).text('config.json'));
    expect(error.code).toBe('RATE_LIMITED');
    expect(error.message).toMatch(/limits the rate of requests. It asks to wait 3600 s: try again then/);
    expect(waits).toEqual([]);
  });

  it('names where a redirect may not go, without what else the address holds', async () => {
    hub.interrupts.push((_, response) =>
      Boolean(response.writeHead(302, { Location: 'data:text/plain,secret' }).end()),
    );
    const error = await failure((await open()).text('config.json'));
    expect(error.message).toMatch(/redirects to an address that starts data:, refused$/);
  });

  it.each([
    ['no commit', { ETag: '"x"' }],
    ['a commit that is a path', { ETag: '"x"', 'X-Repo-Commit': '../../x' }],
    ['an ETag that is a path', { ETag: '"../x"', 'X-Repo-Commit': 'abc' }],
    ['no ETag', { 'X-Repo-Commit': 'abc' }],
    ['a size that is none', { ETag: '"x"', 'X-Repo-Commit': 'abc', 'X-Linked-Size': '-5' }],
  ])('refuses an answer with %s', async (_, headers) => {
    hub.interrupts.push((_request, response) => {
      response.writeHead(200, headers).end();
      return true;
    });
    const error = await failure((await open()).text('config.json'));
    expect(error.message).toMatch(/does not answer as the Hugging Face hub does/);
  });

  it('follows a renamed repository on the same host, and no circle', async () => {
    hub.interrupts.push((request, response) => {
      const location = request.url.replace('/org/model/', '/org/model/');
      response.writeHead(307, { Location: location }).end();
      return true;
    });
    expect(await (await open()).text('config.json')).toBe(config);
    const circle = await serve((request, response) => response.writeHead(307, { Location: request.url }).end());
    try {
      expect((await failure((await open({ endpoint: circle.url })).text('x.json'))).message).toMatch(/circle/);
    } finally {
      await circle.close();
    }
  });

  it('takes over the lock of a process that has died', async () => {
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    const lock = join(folder, '.locks/models--org--model', `${etag}.download`);
    await mkdir(dirname(lock), { recursive: true });
    await writeFile(lock, JSON.stringify({ host: hostname(), pid }));
    await (await open()).open('model.safetensors');
    expect(await readdir(dirname(lock))).toEqual([]);
  });

  it('waits for the process that downloads the same file', async () => {
    const lock = join(folder, '.locks/models--org--model', `${etag}.download`);
    await mkdir(dirname(lock), { recursive: true });
    await writeFile(lock, JSON.stringify({ host: hostname(), pid: process.pid }));
    const wait = async (): Promise<void> => {
      waits.push(0);
      await writeFile(repo('blobs', etag), weights);
      await rm(lock);
    };
    await (await open({ retry: { wait } })).open('model.safetensors');
    expect([waits.length, hub.storage.seen.length]).toEqual([1, 0]);
  });

  describe('OFFLINE', () => {
    it('uses the cache alone', async () => {
      await openCheckpoint(await open());
      const first = hub.seen.length;
      const files = await open({ offline: true });
      await openCheckpoint(files);
      expect(await files.has('config.json')).toBe(false);
      const error = await failure(files.open('config.json'));
      expect([error.code, hub.seen.length]).toEqual(['OFFLINE', first]);
      expect(error.message).toMatch(/config\.json.*HF_HUB_OFFLINE/);
    });

    it('says where it looked for a model it does not have', async () => {
      const error = await failure(openCheckpoint(await open({ offline: true })));
      expect(error.code).toBe('OFFLINE');
      expect(error.message).toContain(repo());
    });
  });

  it.each([
    ['a token with a line end', { token: `${token}\n` }, 'org/model', /token has characters/],
    ['a token over plain http', { endpoint: 'http://hub.example' }, 'org/model', /unencrypted to http:\/\/hub.example/],
    ['an endpoint with a password', { endpoint: 'http://u:p@127.0.0.1' }, 'org/model', /without a user or password/],
    ['a revision that climbs', { revision: '../x' }, 'org/model', /not a branch/],
    ['a name that is no repository', {}, 'org/mo del', /neither a folder nor a repository/],
    ['an empty name', {}, '', /empty/],
  ])('refuses %s', async (_, more, name, message) => {
    const error = await failure(resolveModel(name, { ...options, ...more }).then((files) => files.text('config.json')));
    expect(error.message).toMatch(message);
    expect(hub.seen).toEqual([]);
  });

  it('refuses paths that leave the repository', async () => {
    const files = await open();
    for (const path of ['../x', '/x', 'a/../b', 'C:/x', 'a\\b', '', 'a//b', '.']) {
      expect((await failure(files.open(path))).code).toBe('INVALID_ARGUMENT');
    }
    expect(hub.seen).toEqual([]);
  });
});

describe('resolveModel on folders', () => {
  it('prefers a folder that exists', async () => {
    await writeFile(join(folder, 'config.json'), '\ufeff{"a":1}');
    const files = await resolveModel(folder, options);
    expect(await files.json('config.json')).toEqual({ a: 1 });
    expect(await files.has('x')).toBe(false);
    expect(hub.seen).toEqual([]);
  });

  it.each(['./no-such-folder', '/no/such/folder', 'a/b/c', '../x/'])('does not ask the hub for %s', async (path) => {
    const error = await failure(resolveModel(path, options));
    expect([error.code, hub.seen.length]).toEqual(['NOT_FOUND', 0]);
    expect(error.message).toContain(path);
  });

  it('wants the folder, not a file in it', async () => {
    const file = join(folder, 'model.safetensors');
    await writeFile(file, weights);
    expect((await failure(resolveModel(file, options))).message).toMatch(/is a file: give the folder/);
  });
});
