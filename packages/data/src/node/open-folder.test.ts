import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openFolder } from './open-folder';

describe('openFolder', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'qlora-data-'));
    await writeFile(join(folder, 'a.txt'), '\uFEFFé');
    await writeFile(join(folder, 'bad.txt'), Uint8Array.of(0xff, 0xfe, 0x41));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('finds and reads files as they are', async () => {
    const files = openFolder(folder);
    expect([await files.has('a.txt'), await files.has('b.txt'), await files.has('./x/../a.txt')]).toEqual([
      true,
      false,
      true,
    ]);
    expect(await files.text('a.txt')).toBe('\uFEFFé');
  });

  it('names a file that is missing or not UTF-8', async () => {
    await expect(openFolder(folder).text('b.txt')).rejects.toThrow(/cannot read .*b\.txt: ENOENT/);
    await expect(openFolder(folder).text('bad.txt')).rejects.toThrow(/bad\.txt is not UTF-8/);
  });

  it.each(['../a.txt', 'x/../../a.txt', '/../../etc/passwd', '.'])('does not leave the folder for %s', async (path) => {
    await expect(openFolder(folder).text(path)).rejects.toThrow(/not inside the folder/);
    await expect(openFolder(folder).has(path)).rejects.toThrow(/not inside the folder/);
  });
});
