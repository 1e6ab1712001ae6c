// publint and arethetypeswrong on every tarball, as strict as they are.
import { join } from 'node:path';
import { root, run, tail } from './workspace.mjs';

export function checkLinters({ packages, tarballs, report }) {
  const bin = (name) => join(root, 'node_modules/.bin', name);
  for (const { name, manifest } of packages) {
    const tarball = tarballs[manifest.name];
    const lint = run(bin('publint'), ['run', tarball, '--strict', '--pack', 'false']);
    report(`${name} publint`, lint.ok ? '' : tail(lint.text, 12));
    const types = run(bin('attw'), [tarball, '--format', 'ascii', '--no-emoji']);
    report(`${name} attw`, types.ok ? '' : tail(types.text, 25));
  }
}
