import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../../..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

const architecture = read('ARCHITECTURE.md');
const contributing = read('CONTRIBUTING.md');

/** A section by its heading, up to the next of its rank. */
const section = (text: string, heading: string): string =>
  text.split(/^## /m).find((part) => part.startsWith(heading))!;

describe('ARCHITECTURE.md', () => {
  const walk = section(architecture, 'A walk');
  const stops = [...walk.matchAll(/^(\d+)\. `([^`]+)` \(`([^`]+)`\): /gm)];

  it('walks there and back in numbered stops', () => {
    expect(stops.map(([, number]) => Number(number))).toEqual(stops.map((_, index) => index + 1));
    expect(stops.length).toBe(walk.match(/^\d+\./gm)!.length);
    expect(stops[0]![2]).toBe('packages/cli/src/commands/train.ts');
    expect(stops.at(-1)![2]).toBe('packages/hub/src/node/write-folder.ts');
  });

  it.each(stops.map(([, , path, name]) => [path!, name!]))('%s exports %s', (path, name) => {
    expect(read(path)).toMatch(new RegExp(`^export (async )?(function\\*?|class|const) ${name}\\b`, 'm'));
  });

  it('names every package in its map, and none that is gone', () => {
    const map = section(architecture, 'The map');
    const packages = readdirSync(join(ROOT, 'packages')).filter((name) =>
      existsSync(join(ROOT, 'packages', name, 'package.json')),
    );
    for (const name of packages) expect(map, name).toMatch(new RegExp(`(^|[\\s/])${name}\\b`, 'm'));
    for (const [, name] of map.matchAll(/packages\/([\w-]+)/g)) expect(packages).toContain(name);
  });

  it('gives each dependency one row with its reason', () => {
    const rows = section(architecture, 'Dependencies and why')
      .split('\n')
      .filter((line) => line.startsWith('| ') && !/^\| (package|---)/.test(line))
      .map((line) => line.split('|')[1]!);
    const named = rows.flatMap((row) =>
      row
        .replace(/\(.*?\)/g, '')
        .split(',')
        .map((name) => name.trim()),
    );
    expect(named).toEqual([...new Set(named)]);
    const manifests = ['packages', 'apps'].flatMap((folder) =>
      readdirSync(join(ROOT, folder)).flatMap((name) => {
        const path = join(folder, name, 'package.json');
        return existsSync(join(ROOT, path)) ? [JSON.parse(read(path)) as Record<string, Record<string, string>>] : [];
      }),
    );
    const used = manifests.flatMap(({ dependencies = {}, peerDependencies = {} }) => [
      ...Object.keys(dependencies),
      ...Object.keys(peerDependencies),
    ]);
    const outside = [...new Set(used)].filter((name) => !name.startsWith('@qlora-js/'));
    for (const name of outside) expect(named, name).toContain(name);
  });
});

describe('CONTRIBUTING.md', () => {
  it.each(['Add an op', 'Add a model family', 'Add an optimiser', 'Add a tracker'])('%s: five steps', (heading) => {
    expect(section(contributing, heading).match(/^\d+\. /gm)).toEqual(['1. ', '2. ', '3. ', '4. ', '5. ']);
  });

  it.each([...contributing.matchAll(/`((?:packages|apps|tools)\/[\w./-]+)`/g)].map(([, path]) => path!))(
    '%s is there',
    (path) => {
      expect(existsSync(join(ROOT, path)), path).toBe(true);
    },
  );
});
