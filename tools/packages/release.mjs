// A rehearsal of a release: versions of all packages, changelog from commits, commit and tag, nothing written.
import { join } from 'node:path';
import { root, run, tail } from './workspace.mjs';

export function checkRelease({ packages, folder, report }) {
  // Who has no git can't release; all else here is checked without it.
  if (!run('git', ['--version']).ok) return console.log('release: there is no git, so nothing is rehearsed');
  const nx = join(root, 'node_modules/nx/dist/bin/nx.js');
  const args = ['release', 'minor', '--dry-run', '--skip-publish', '--first-release'];
  const env = { ...process.env, NX_DAEMON: 'false', ...history(join(folder, 'release.git')) };
  const { ok, text } = run(process.execPath, [nx, ...args], { cwd: root, env });
  report('release rehearsal', ok ? '' : tail(text, 20));
  for (const { name, manifest } of packages) {
    const versioned = text.includes(`packages/${name}/package.json`);
    report(`release of ${manifest.name}`, versioned ? '' : 'the rehearsal does not name it');
  }
}

/** A copy of the sources without its history gets one of a single commit, outside of the copy. */
function history(gitDirectory) {
  const { ok, text } = run('git', ['rev-parse', '--show-prefix', 'HEAD'], { cwd: root });
  // The first line is empty at the top of a repository, and not in a copy that lies below another one.
  if (ok && text.split('\n').length === 1) return {};
  const author = { NAME: 'qlora.js', EMAIL: 'qlora.js@example.org' };
  const env = { GIT_DIR: gitDirectory, GIT_WORK_TREE: root };
  for (const [key, value] of Object.entries(author)) {
    env[`GIT_AUTHOR_${key}`] = value;
    env[`GIT_COMMITTER_${key}`] = value;
  }
  const options = { cwd: root, env: { ...process.env, ...env } };
  run('git', ['init', '--quiet', '--initial-branch=main'], options);
  run('git', ['commit', '--quiet', '--allow-empty', '--message', 'Rehearsal'], options);
  return env;
}
