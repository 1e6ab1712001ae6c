import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openData } from './open-data';

describe('openData', () => {
  let root = '';
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'qlora-data-'));
    await mkdir(join(root, 'set', 'data'), { recursive: true });
    await writeFile(join(root, 'set', 'data', 'train.csv'), 'text,label\na,x\n');
    await writeFile(join(root, 'set', '.hidden.csv'), 'no');
    await writeFile(join(root, 'secret.csv'), 'no');
    await symlink(join(root, 'secret.csv'), join(root, 'set', 'link.csv'));
  });
  afterAll(() => rm(root, { recursive: true }));

  it('lists the files below a folder, hidden ones and links aside, and reads them at any place', async () => {
    const files = await openData(join(root, 'set'));
    expect(await files.list()).toEqual(['data/train.csv']);
    const source = await files.open('data/train.csv');
    expect(source.size).toBe(15);
    expect(new TextDecoder().decode(await source.read(11, 3))).toBe('a,x');
    await expect(source.read(10, 10)).rejects.toThrow(/became shorter/);
  });

  it('takes a file for a set of one', async () => {
    const files = await openData(join(root, 'set', 'data', 'train.csv'));
    expect(await files.list()).toEqual(['train.csv']);
  });

  it('names what is not there', async () => {
    await expect(openData(join(root, 'none'))).rejects.toThrow(/cannot read .*none: ENOENT/);
    const files = await openData(join(root, 'set'));
    await expect(files.open('data')).rejects.toThrow(/is a folder/);
    await expect(files.open('none.csv')).rejects.toThrow(/cannot read .*none\.csv/);
  });

  it.each(['../secret.csv', 'x/../../secret.csv', '/../../etc/passwd', '.'])(
    'does not leave the folder for %s',
    async (path) => {
      const files = await openData(join(root, 'set'));
      await expect(files.open(path)).rejects.toThrow(/not inside the folder/);
    },
  );

  it('reads standard input', () => {
    const module = new URL('./open-data.ts', import.meta.url).href;
    const typescript = fileURLToPath(new URL('../../../../tools/typescript.mjs', import.meta.url));
    const source = `
      const { openData } = await import(${JSON.stringify(module)});
      const files = await openData('-');
      const [name] = await files.list();
      const source = await files.open(name);
      console.log(name, new TextDecoder().decode(await source.read(0, source.size)));`;
    const printed = execFileSync(process.execPath, ['--import', typescript, '--input-type=module', '-e', source], {
      input: 'text,label\nb,y\n',
      encoding: 'utf8',
    });
    expect(printed).toBe('standard input text,label\nb,y\n\n');
  });
});
