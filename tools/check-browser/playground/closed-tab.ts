import { createHash } from 'node:crypto';
import { unzipSync } from 'fflate';
import { type Page } from 'puppeteer-core';
import { type Part } from './part';
import { downloaded, fill, give, press, shownLabels, textOf, typeOver, visit } from './visit';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const TEXT = 'I forgot my PIN';

/** A run whose tab is closed goes on where it was and ends with the bits of one that was not; its zip comes back. */
export async function closedTab({ browser, check, address, folder }: Part): Promise<void> {
  await typedEarly({ browser, check, address });
  const whole = await begin(browser, address);
  await textOf(whole, 'stage-a', /^Done/);
  const wanted = weights(await downloaded(whole, 'Download the adapter'));
  await press(whole, 'Train again');
  // A checkpoint lies by then; the tab goes while steps are under way.
  await whole.waitForFunction(() => /up to step [2-9]/.test(document.body.textContent ?? ''), { polling: 50 });
  await whole.close();

  const { page, errors } = await visit(browser, address);
  const offer = await textOf(page, 'saved', /left after step/);
  check('playground: offers to go on with the run of a closed tab', /left after step [2-4]\./.test(offer), true);
  await fill(page, 'A text of yours', TEXT);
  await press(page, 'Go on with it');
  await textOf(page, 'stage-a', /^Done after 5 steps/);
  const zip = await downloaded(page, 'Download the adapter');
  check('playground: the run that went on ends with the same bits', weights(zip), wanted);
  const points = await page.$eval('.chart polyline', (line) => line.getAttribute('points')!.split(' ').length);
  check('playground: the chart has the steps from before', points, 5);
  const trained = await shownLabels(page);

  const path = join(folder, 'adapter.zip');
  await writeFile(path, zip);
  await page.reload();
  await textOf(page, 'data', /labels/);
  await fill(page, 'A text of yours', TEXT);
  await give(page, 'An adapter of yours', path);
  await textOf(page, 'loaded', /20 labels/);
  await textOf(page, 'labelled-at', /By adapter\.zip/);
  check('playground: a zip that is brought back labels as before', await shownLabels(page), trained);
  check('playground: no errors around a closed tab', errors, []);
  await page.close();
}

/** A number that is typed, and its field not left, before the page has read its rows. */
async function typedEarly({ browser, check, address }: Pick<Part, 'browser' | 'check' | 'address'>): Promise<void> {
  const { page } = await visit(browser, address);
  await typeOver(page, 'Epochs', '1');
  await textOf(page, 'data', /labels/);
  const kept = await page.$eval(':focus', (field) => (field as HTMLInputElement).value);
  check('playground: what is typed stays when the page is drawn anew', kept, '1');
  await page.close();
}

async function begin(browser: Part['browser'], address: string): Promise<Page> {
  const { page } = await visit(browser, address);
  await fill(page, 'Questions a label', '4');
  await fill(page, 'Epochs', '1');
  await textOf(page, 'plan', /^80 texts.* 5 steps/);
  await press(page, 'Start training');
  return page;
}

/** SHA-256 of an adapter's weights. */
function weights(zip: Uint8Array): string {
  return createHash('sha256').update(unzipSync(zip)['adapter_model.safetensors']!).digest('hex');
}
