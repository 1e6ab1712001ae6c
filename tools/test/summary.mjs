#!/usr/bin/env node
// Adds up the test reports of all packages and prints `N passed, N failed` as the last line.
// usage: node tools/test/summary.mjs STATUS     STATUS: exit status of what ran before
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const before = Number(process.argv[2] ?? 0);
let passed = 0;
let failed = 0;
for (const group of ['packages', 'apps']) {
  for (const name of readdirSync(join(root, group))) {
    const folder = join(root, group, name);
    if (!existsSync(join(folder, 'vitest.config.ts'))) continue;
    const report = join(folder, 'reports/vitest.json');
    if (!existsSync(report)) {
      console.error(`${group}/${name} left no test report`);
      failed++;
      continue;
    }
    const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, 'utf8'));
    // A file that breaks before its first test counts as one failure.
    const broken = testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0).length;
    console.log(`${`${group}/${name}`.padEnd(28)} ${numPassedTests} passed, ${numFailedTests + broken} failed`);
    passed += numPassedTests;
    failed += numFailedTests + broken;
  }
}
// Types, lint, build or format that failed must not end in a line that looks green.
if (before !== 0 && failed === 0) failed = 1;
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
