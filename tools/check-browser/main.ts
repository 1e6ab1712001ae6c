// What only a browser can say. Prints each check that fails and, last, `N passed, N failed`.
// usage: npm run check:browser -- [NAME ...]
import { isDeepStrictEqual } from 'node:util';
import { type Browser } from 'puppeteer-core';
import { type Check } from './check';
import { withChromium } from './chromium';
import { checkPlayground } from './playground';
import { checkReports } from './report';

/** Add a check here: a name, and a function that opens pages and calls `check` for each thing it looks at. */
const CHECKS: Readonly<Record<string, (browser: Browser, check: Check) => Promise<void>>> = {
  report: checkReports,
  playground: checkPlayground,
};

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(CHECKS);
const unknown = names.filter((name) => !Object.hasOwn(CHECKS, name));
if (unknown.length > 0) {
  console.error(`there is no check ${unknown.join(', ')}: ${Object.keys(CHECKS).join(', ')}`);
  process.exit(2);
}
let passed = 0;
let failed = 0;
const check: Check = (name, found, expected) => {
  if (isDeepStrictEqual(found, expected)) {
    passed++;
    return;
  }
  failed++;
  console.log(`FAIL ${name}\n  found    ${JSON.stringify(found)}\n  expected ${JSON.stringify(expected)}`);
};
await withChromium(async (browser) => {
  for (const name of names) await CHECKS[name]!(browser, check);
});
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
