import { mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { serializeSafetensors } from '../safetensors/serialize';
import { type StoredTensor } from '../tensor';
import { fileSource } from './file-source';
import { folderFiles } from './folder-files';
import { hubSettings } from './hub/settings';
import { ensureWritableFolder, writeFileAtomic } from './write-file-atomic';
import { writeSafetensors } from './write-safetensors';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qlora-files-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('fileSource', () => {
  it('reads ranges', async () => {
    const path = join(folder, 'x');
    await writeFile(path, 'hello');
    const source = await fileSource(path);
    expect([source.size, source.name]).toEqual([5, path]);
    expect(new TextDecoder().decode(await source.read(1, 3))).toBe('ell');
    await expect(source.read(3, 3)).rejects.toMatchObject({ code: 'TRUNCATED_FILE', place: path });
  });

  it('notices a file that was replaced, changed or deleted', async () => {
    const path = join(folder, 'x');
    await writeFile(path, 'hello');
    const source = await fileSource(path);
    await writeFileAtomic(path, 'hullo');
    await expect(source.read(0, 1)).rejects.toMatchObject({ code: 'FILE_CHANGED' });
    const second = await fileSource(path);
    await utimes(path, 1, 1);
    await expect(second.read(0, 1)).rejects.toMatchObject({ code: 'FILE_CHANGED' });
    const third = await fileSource(path);
    await rm(path);
    await expect(third.read(0, 1)).rejects.toMatchObject({ code: 'FILE_CHANGED', place: path });
  });

  it('says what is no file', async () => {
    await expect(fileSource(join(folder, 'no'))).rejects.toThrow(/no: it does not exist \(ENOENT\)/);
    await expect(fileSource(folder)).rejects.toThrow(/it is not a file/);
  });
});

describe('folderFiles', () => {
  it('finds files, through links too, and nothing outside', async () => {
    await mkdir(join(folder, 'model/sub'), { recursive: true });
    await writeFile(join(folder, 'secret'), 'x');
    await writeFile(join(folder, 'model/sub/a.json'), '[1]');
    await symlink('sub/a.json', join(folder, 'model/link.json'));
    const files = await folderFiles(join(folder, 'model'));
    expect(await files.json('link.json')).toEqual([1]);
    expect(await Promise.all(['sub/a.json', 'sub', 'no', 'sub/a.json/x'].map((path) => files.has(path)))).toEqual([
      true,
      false,
      false,
      false,
    ]);
    await expect(files.open('../secret')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(files.open('no')).rejects.toMatchObject({ code: 'NOT_FOUND', value: 'no' });
  });

  it('says that there is no folder', async () => {
    await expect(folderFiles(join(folder, 'no'))).rejects.toThrow(/no does not exist/);
  });
});

describe('writing', () => {
  const tensors: StoredTensor[] = [
    { name: 'b', dtype: 'F32', shape: [2], bytes: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) },
    { name: 'a', dtype: 'I64', shape: [1], bytes: Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0) },
  ];

  it('replaces a file whole, and leaves nothing beside it', async () => {
    const path = join(folder, 'x.json');
    await writeFileAtomic(path, 'old content');
    await writeFileAtomic(path, Uint8Array.of(0x68, 0x69));
    expect(await readFile(path, 'utf8')).toBe('hi');
    expect(await readdir(folder)).toEqual(['x.json']);
  });

  it('writes safetensors as in memory, tensors read in the order of the file', async () => {
    const path = join(folder, 'x.safetensors');
    const read: string[] = [];
    const lazy = tensors.map(({ name, dtype, shape, bytes }) => ({
      ...{ name, dtype, shape },
      read: () => {
        read.push(name);
        return Promise.resolve(bytes);
      },
    }));
    await writeSafetensors(path, lazy, { format: 'pt' });
    expect(new Uint8Array(await readFile(path))).toEqual(serializeSafetensors(tensors, { format: 'pt' }));
    expect(read).toEqual(['a', 'b']);
    await writeSafetensors(path, tensors);
    expect(new Uint8Array(await readFile(path))).toEqual(serializeSafetensors(tensors));
  });

  it('keeps the old file where a tensor fails, and leaves nothing beside it', async () => {
    const path = join(folder, 'x.safetensors');
    await writeFileAtomic(path, 'old');
    const failing = {
      name: 'c',
      dtype: 'U8',
      shape: [1],
      read: () => Promise.reject(new Error('device lost')),
    } as const;
    await expect(writeSafetensors(path, [...tensors, failing])).rejects.toThrow('device lost');
    const short = { name: 'c', dtype: 'U8', shape: [2], read: () => new Uint8Array(1) } as const;
    await expect(writeSafetensors(path, [...tensors, short])).rejects.toThrow(/"c".*takes 2 bytes, but 1/);
    expect(await readFile(path, 'utf8')).toBe('old');
    expect(await readdir(folder)).toEqual(['x.safetensors']);
  });

  it('says why it could not write', async () => {
    await expect(writeFileAtomic(join(folder, 'no/x'), '')).rejects.toThrow(/no\/x: it does not exist \(ENOENT\)/);
    await mkdir(join(folder, 'full'));
    await expect(writeFileAtomic(join(folder, 'full'), '')).rejects.toMatchObject({ code: 'NOT_WRITABLE' });
    expect(await readdir(folder)).toEqual(['full']);
  });

  it('makes a writable folder, or says early that there is none', async () => {
    const path = join(folder, 'out/run 1');
    await ensureWritableFolder(path);
    expect(await readdir(path)).toEqual([]);
    await writeFile(join(folder, 'file'), '');
    await expect(ensureWritableFolder(join(folder, 'file'))).rejects.toThrow(/a file is in the way/);
    await expect(ensureWritableFolder(join(folder, 'file/x'))).rejects.toThrow(/is a file, not a folder/);
  });
});

describe('hubSettings', () => {
  it.each([
    [{ HF_HUB_CACHE: '/c', HF_HOME: '/h' }, '/c'],
    [{ HF_HOME: '/h' }, join('/h', 'hub')],
    [{ XDG_CACHE_HOME: '/x', HOME: '/u' }, join('/x', 'huggingface', 'hub')],
    [{ HOME: '/u' }, join('/u', '.cache', 'huggingface', 'hub')],
  ])('finds the cache of the Python stack from %j', async (environment, expected) => {
    expect((await hubSettings({}, environment)).cacheDir).toBe(expected);
  });

  it('takes the token from the option, the environment or the file, in this order', async () => {
    await writeFile(join(folder, 'token'), 'from-file\n');
    const environment = { HF_HOME: folder };
    expect((await hubSettings({}, environment)).token).toBe('from-file');
    expect((await hubSettings({}, { ...environment, HF_TOKEN: ' from-variable ' })).token).toBe('from-variable');
    expect((await hubSettings({ token: '' }, environment)).token).toBe('');
    expect((await hubSettings({}, { ...environment, HF_HUB_DISABLE_IMPLICIT_TOKEN: '1' })).token).toBeUndefined();
    expect((await hubSettings({}, { HF_HOME: join(folder, 'no') })).token).toBeUndefined();
  });

  it('takes endpoint and offline mode from the environment', async () => {
    const environment = { HF_HOME: folder, HF_ENDPOINT: 'https://mirror.example', HF_HUB_OFFLINE: 'true' };
    expect(await hubSettings({}, environment)).toMatchObject({ endpoint: 'https://mirror.example', offline: true });
    expect((await hubSettings({ offline: false }, environment)).offline).toBe(false);
    expect(await hubSettings({}, { HF_HOME: folder })).toMatchObject({
      ...{ endpoint: 'https://huggingface.co', offline: false, revision: 'main' },
    });
  });
});
