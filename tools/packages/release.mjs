// A rehearsal of a release: versions of all packages, changelog from commits, commit and tag, nothing written.
import { join } from 'node:path';
import { root, run, tail } from './workspace.mjs';

export function checkRelease({ packages, report }) {
  const nx = join(root, 'node_modules/nx/dist/bin/nx.js');
  const args = ['release', 'minor', '--dry-run', '--skip-publish', '--first-release'];
  const { ok, text } = run(process.execPath, [nx, ...args], { cwd: root, env: { ...process.env, NX_DAEMON: 'false' } });
  report('release rehearsal', ok ? '' : tail(text, 20));
  for (const { name, manifest } of packages) {
    const versioned = text.includes(`packages/${name}/package.json`);
    report(`release of ${manifest.name}`, versioned ? '' : 'the rehearsal does not name it');
  }
}
