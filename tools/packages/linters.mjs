// publint and arethetypeswrong on every tarball, as strict as they are.
import { join } from 'node:path';
import { isRequirable, privateEntries, root, run, tail } from './workspace.mjs';

export function checkLinters({ packages, tarballs, report }) {
  const bin = (name) => join(root, 'node_modules/.bin', name);
  for (const item of packages) {
    const { name, manifest } = item;
    const tarball = tarballs[manifest.name];
    const lint = run(bin('publint'), ['run', tarball, '--strict', '--pack', 'false']);
    report(`${name} publint`, lint.ok ? '' : tail(lint.text, 12));
    const profile = isRequirable(item) ? [] : ['--profile', 'esm-only'];
    const hidden = privateEntries(item);
    const without = hidden.length === 0 ? [] : ['--exclude-entrypoints', ...hidden];
    const types = run(bin('attw'), [tarball, '--format', 'ascii', '--no-emoji', ...profile, ...without]);
    report(`${name} attw`, types.ok ? '' : tail(types.text, 25));
  }
}
