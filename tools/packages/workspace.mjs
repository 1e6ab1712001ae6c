// The packages of the workspace that are published, and their tarballs.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Every package under packages/: its folder's name, its path and its manifest. */
export function packages() {
  return readdirSync(join(root, 'packages'))
    .filter((name) => existsSync(join(root, 'packages', name, 'package.json')))
    .map((name) => {
      const path = join(root, 'packages', name);
      return { name, path, manifest: JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) };
    });
}

/** Entries that sources alone have, such as `./testing`: nothing of them is built or published. */
export function privateEntries({ manifest }) {
  return Object.keys(manifest.exports).filter(
    (entry) => typeof manifest.exports[entry] === 'object' && manifest.exports[entry].import === undefined,
  );
}

/** The names an importer writes for a package's entries of code, such as `@qlora-js/hub/node`. */
export function entriesOf({ manifest }) {
  const hidden = privateEntries({ manifest });
  return Object.keys(manifest.exports)
    .filter((entry) => !entry.endsWith('.json') && !hidden.includes(entry))
    .map((entry) => (entry === '.' ? manifest.name : `${manifest.name}/${entry.slice(2)}`));
}

/** Whether CommonJS can require a package; a command is ESM alone. */
export function isRequirable({ manifest }) {
  return manifest.exports['.'].require !== undefined;
}

/** Packs every package; paths of the tarballs by the packages' full names. */
export function pack(list, target) {
  mkdirSync(target, { recursive: true });
  const tarballs = {};
  for (const { path, manifest } of list) {
    const flags = ['pack', '--json', '--ignore-scripts', '--pack-destination', target];
    const [{ filename }] = JSON.parse(execFileSync('npm', flags, { cwd: path, encoding: 'utf8' }));
    tarballs[manifest.name] = join(target, filename);
  }
  return tarballs;
}

/** Runs a command; what it printed, and whether it ended well. */
export function run(command, args, options = {}) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 26, ...options });
  return { ok: status === 0, text: `${stdout ?? ''}${stderr ?? ''}`.trim() };
}

/** The end of a long text, for a report. */
export function tail(text, lines = 8) {
  return text.split('\n').slice(-lines).join('\n  ');
}
