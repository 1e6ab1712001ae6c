// apps/playground end to end on wasm, as a visitor uses it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser } from 'puppeteer-core';
import { type Check } from '../check';
import { serveSite, type Site } from './site';
import { fill, press, textOf, visit } from './visit';

/** Builds the page and visits it. */
export async function checkPlayground(browser: Browser, check: Check): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'playground-'));
  const site = await serveSite(folder);
  try {
    await firstClick(browser, check, site);
  } finally {
    await site.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** One click trains; it pauses, goes on, and a text's labels move meanwhile. */
async function firstClick(browser: Browser, check: Check, site: Site): Promise<void> {
  const { page, requests, errors } = await visit(browser, site.address);
  check(
    'playground: says what it found',
    /^No GPU to use here: .* will compute\.$/.test(await textOf(page, 'found', /compute/)),
    true,
  );
  await fill(page, 'Questions a label', '4');
  await fill(page, 'Epochs', '1');
  // 20 labels of 4 texts in steps of 16.
  check(
    'playground: says what the run will take',
    /^80 texts with 20 labels, 5 steps of 16 texts\./.test(await textOf(page, 'plan', /^80 texts.* 5 steps/)),
    true,
  );
  await fill(page, 'A text of yours', 'Where is my new card?');
  await press(page, 'Start training');
  await textOf(page, 'labelled-at', /After step 1$/);
  const labels = async (): Promise<string> => textOf(page, 'labels', /%/);
  const early = await labels();
  await press(page, 'Pause');
  const paused = await textOf(page, 'stage', /^Paused/);
  await press(page, 'Go on');
  check('playground: pauses after a step', /^Paused after step [1-5] of 5\.$/.test(paused), true);
  const done = await textOf(page, 'stage', /^Done|failed/);
  check('playground: trains to its end', /^Done after 5 steps: .* of 160 test texts/.test(done), true);
  await textOf(page, 'labelled-at', /After step 5$/);
  const late = await labels();
  check('playground: labels move as the training goes on', early === late, false);
  check(
    'playground: loss is drawn',
    await page.$eval('.chart polyline', (line) => line.getAttribute('points')!.split(' ').length),
    5,
  );
  check(
    'playground: asks its own origin alone',
    requests.filter((request) => !request.startsWith(site.address)),
    [],
  );
  check('playground: no errors', errors, []);
  await page.close();
}
