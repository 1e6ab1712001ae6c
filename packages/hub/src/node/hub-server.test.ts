import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { serveFolder } from '../../../../tools/hub-server/serve.mjs';
import { openCheckpoint } from '../checkpoint/open';
import { serializeSafetensors } from '../safetensors/serialize';
import { resolveModel } from './resolve-model';

let folder: string;
let server: Awaited<ReturnType<typeof serveFolder>>;
const weights = serializeSafetensors([{ name: 'w', dtype: 'U8', shape: [9000], bytes: new Uint8Array(9000).fill(7) }]);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qlora-serve-'));
  await mkdir(join(folder, 'org/model/sub'), { recursive: true });
  await writeFile(join(folder, 'org/model/config.json'), '{"a": 1}');
  await writeFile(join(folder, 'org/model/sub/a b.txt'), 'text');
  await writeFile(join(folder, 'org/model/model.safetensors'), weights);
  server = await serveFolder(folder);
});

afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

it('the command that serves a folder is a hub to resolveModel, by one connection and by several', async () => {
  for (const connections of [1, 3]) {
    const cacheDir = join(folder, `cache-${connections}`);
    const options = { endpoint: server.url, cacheDir, token: '', connections, rangeBytes: 1000 };
    const files = await resolveModel('org/model', options);
    expect(await files.json('config.json')).toEqual({ a: 1 });
    expect(await files.text('sub/a b.txt')).toBe('text');
    expect((await (await openCheckpoint(files)).read('w')).bytes).toEqual(new Uint8Array(9000).fill(7));
    expect(await files.has('missing.json')).toBe(false);
    await expect(resolveModel('org/other', options).then((other) => other.has('config.json'))).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  }
});

it('serves nothing outside of its folder', async () => {
  const answer = await fetch(`${server.url}/org/model/resolve/main/..%2f..%2f..%2f..%2fetc%2fpasswd`);
  expect([answer.status, answer.headers.get('x-error-code')]).toEqual([404, 'EntryNotFound']);
});
