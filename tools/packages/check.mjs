#!/usr/bin/env node
// Checks the packages as a stranger gets them: manifests, tarballs, installs into empty folders, types, errors, sizes, cycles,
// what nothing uses, the API reference, a rehearsal of the release.
// usage: npm run check:packages [-- --only NAME,NAME] [--built]      --built: dist is as the sources are
// Prints a line a check that failed and ends with `N passed, M failed`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { checkBudgets } from './budgets.mjs';
import { checkCycles } from './cycles.mjs';
import { checkErrors } from './errors.mjs';
import { checkInstalls } from './installs.mjs';
import { checkLinters } from './linters.mjs';
import { checkManifests } from './manifests.mjs';
import { checkReference } from './reference.mjs';
import { checkRelease } from './release.mjs';
import { checkTypes } from './types.mjs';
import { checkUnused } from './unused.mjs';
import { pack, packages, root } from './workspace.mjs';

const { values } = parseArgs({ options: { only: { type: 'string' }, built: { type: 'boolean' } } });
const checks = {
  manifests: checkManifests,
  linters: checkLinters,
  installs: checkInstalls,
  types: checkTypes,
  errors: checkErrors,
  budgets: checkBudgets,
  cycles: checkCycles,
  unused: checkUnused,
  reference: checkReference,
  release: checkRelease,
};
const chosen = values.only === undefined ? Object.keys(checks) : values.only.split(',');
for (const name of chosen)
  if (!(name in checks)) throw new Error(`'${name}' is none of ${Object.keys(checks).join(', ')}`);

if (values.built !== true) {
  const nx = join(root, 'node_modules/nx/dist/bin/nx.js');
  const { status } = spawnSync(process.execPath, [nx, 'run-many', '-t', 'build'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

let [passed, failed] = [0, 0];
/** Counts one check; `problem` is what is wrong, or nothing. */
function report(name, problem) {
  if (problem === undefined || problem === '') passed++;
  else {
    failed++;
    console.log(`FAILED ${name}: ${problem}`);
  }
}

const folder = mkdtempSync(join(tmpdir(), 'qlora-packages-'));
try {
  const tarballs = pack(packages(), join(folder, 'tarballs'));
  for (const name of chosen) {
    const started = performance.now();
    await checks[name]({ packages: packages(), tarballs, folder, report });
    console.log(`${name}: ${((performance.now() - started) / 1000).toFixed(0)} s`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
