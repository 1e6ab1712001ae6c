import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { recoverFolders, removeFolder, writeFolder } from './write-folder';

let parent: string;
let target: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'qlora-folders-'));
  target = join(parent, 'adapter');
});
afterEach(() => rm(parent, { recursive: true, force: true }));

const OLD = { 'config.json': 'old config', 'weights.bin': Uint8Array.of(1, 2, 3), 'only-old.txt': 'x' };
const NEW = { 'config.json': 'new config', 'weights.bin': Uint8Array.of(9, 8, 7, 6), 'sub/card.md': 'card' };

/** Everything under a folder, by path. */
async function contents(folder: string): Promise<Record<string, string>> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const entries = files.map(async (path) => [path.slice(folder.length + 1), await readFile(path, 'latin1')] as const);
  return Object.fromEntries(await Promise.all(entries));
}

const asText = (files: Readonly<Record<string, Uint8Array | string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(files).map(([name, value]) => [name, Buffer.from(value).toString('latin1')]));

const POINTS = ['staged', 'config.json half', 'weights.bin', 'sub/card.md half', 'synced', 'old aside'];

describe('writeFolder', () => {
  it('puts the new files in place of all the old ones and leaves nothing beside them', async () => {
    await writeFolder(target, OLD);
    expect(await contents(parent)).toEqual(
      asText(Object.fromEntries(Object.entries(OLD).map(([n, v]) => [`adapter/${n}`, v]))),
    );
    const points: string[] = [];
    await writeFolder(target, NEW, { at: (point) => void points.push(point) });
    expect(await contents(target)).toEqual(asText(NEW));
    expect(await readdir(parent)).toEqual(['adapter']);
    expect(points).toEqual([
      'staged',
      'config.json half',
      'config.json',
      'weights.bin half',
      'weights.bin',
      'sub/card.md half',
      'sub/card.md',
      'synced',
      'old aside',
      'in place',
      'old removed',
    ]);
  });

  it.each(POINTS)('leaves the old folder whole and nothing else where the disk fails at: %s', async (where) => {
    await writeFolder(target, OLD);
    const full = Object.assign(new Error('no space'), { code: 'ENOSPC' });
    const failing = writeFolder(target, NEW, {
      at: (point) => {
        if (point === where) throw full;
      },
    });
    await expect(failing).rejects.toMatchObject({
      code: 'NOT_WRITABLE',
      message: `Can't write the folder ${target}: the disk is full (ENOSPC)`,
    });
    expect(await contents(target)).toEqual(asText(OLD));
    expect(await readdir(parent)).toEqual(['adapter']);
  });

  it('refuses a path that leaves the folder before it writes anything', async () => {
    await expect(writeFolder(target, { ok: 'x', '../elsewhere': 'x' })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    expect(await readdir(parent)).toEqual([]);
  });

  it('says what the system refused', async () => {
    await writeFile(join(parent, 'file'), '');
    await expect(writeFolder(join(parent, 'file', 'x'), NEW)).rejects.toMatchObject({
      code: 'NOT_WRITABLE',
      message: expect.stringContaining('is a file, not a folder') as string,
    });
  });
});

describe('recoverFolders', () => {
  const id = '123e4567-e89b-42d3-a456-426614174000';

  it('gives a folder its name back whose successor never arrived', async () => {
    await mkdir(join(parent, `.adapter.${id}.old`));
    await writeFile(join(parent, `.adapter.${id}.old`, 'a'), 'old');
    await mkdir(join(parent, `.adapter.${id}.tmp`));
    expect(await recoverFolders(parent)).toEqual([
      { name: 'adapter', action: 'restored' },
      { name: 'adapter', action: 'removed' },
    ]);
    expect(await contents(parent)).toEqual({ 'adapter/a': 'old' });
  });

  it('deletes what was replaced and half deleted, and touches nothing of another name', async () => {
    for (const folder of ['adapter', `.adapter.${id}.old`, '.adapter.mine.tmp', '.git', 'x.tmp']) {
      await mkdir(join(parent, folder));
    }
    expect(await recoverFolders(parent)).toEqual([{ name: 'adapter', action: 'removed' }]);
    expect((await readdir(parent)).sort()).toEqual(['.adapter.mine.tmp', '.git', 'adapter', 'x.tmp']);
    expect(await recoverFolders(join(parent, 'none'))).toEqual([]);
  });
});

it('removeFolder renames before it deletes, and a folder that is gone is gone', async () => {
  await writeFolder(target, OLD);
  const killed = removeFolder(target, {
    at: (point) => {
      throw new Error(`killed at ${point}`);
    },
  });
  await expect(killed).rejects.toThrow('killed at renamed');
  const [aside, ...others] = await readdir(parent);
  expect([aside, others]).toEqual([expect.stringMatching(/^\.adapter\..*\.gone$/), []]);
  // Some of it may be deleted by now: it must not come back.
  expect(await recoverFolders(parent)).toEqual([{ name: 'adapter', action: 'removed' }]);
  expect(await readdir(parent)).toEqual([]);
  await removeFolder(target);
});
