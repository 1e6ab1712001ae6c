import { checkAppearance } from './appearance';
import { type Part } from './part';
import { fill, press, textOf, visit } from './visit';

/** Two runs side by side, and what there is to see of them. */
export async function looks({ browser, check, address }: Part): Promise<void> {
  const { page, errors } = await visit(browser, address);
  await fill(page, 'Questions a label', '2');
  await fill(page, 'Epochs', '1');
  await textOf(page, 'plan', /^40 texts.* 3 steps/);
  await checkAppearance(page, check, 'fresh');
  await press(page, 'Start training');
  await textOf(page, 'stage-a', /^Done/);
  await fill(page, 'Learning rate', '0.0001');
  await press(page, 'Train a second run beside it');
  await textOf(page, 'stage-b', /^Done/);
  const keys = await page.$$eval('.chart:first-of-type .key', (all) => all.map(({ textContent }) => textContent));
  check('playground: the legend says what differs', keys.slice(0, 2), [
    'A: learning rate 0.002',
    'B: learning rate 0.0001',
  ]);
  const lines = await page.$$eval('.charts .chart:first-child polyline', (all) =>
    all.map((line) => line.getAttribute('points')),
  );
  check('playground: two runs are drawn, and differ', new Set(lines).size, 2);

  await press(page, 'Look at the test texts');
  await page.waitForSelector('[data-testid="pairs"] button');
  const squares = await page.$$eval('.matrix rect', (all) => all.length);
  check('playground: the confusion matrix has a cell for each pair of labels', squares, 20 * 20);
  const first = await page.$eval('[data-testid="pairs"] button', (button) => button.textContent ?? '');
  await page.click('[data-testid="pairs"] button');
  const texts = await page.$$eval('[data-testid="cell-texts"] li', (all) => all.length);
  check('playground: a cell has its texts behind it', `${texts} ×`, /^\d+ ×/.exec(first)?.[0]);
  const scored = await page.$$eval('[data-testid="scores"] tbody tr', (all) => all.length);
  check('playground: every label has its scores', scored, 20);
  const norms = await page.$$eval('[data-testid="norms"] tbody tr', (all) => all.length);
  check('playground: norms by layer', norms > 0, true);
  const weights = await page.$$eval('[data-testid="block"] circle', (all) => all.length);
  check('playground: a block of 64 weights is drawn', weights, 64);
  const levels = await page.$$eval('[data-testid="block"] .level', (all) => all.length);
  check('playground: the code book of NF4 has 16 values', levels, 16);
  await checkAppearance(page, check, 'trained');
  check('playground: no errors beside each other', errors, []);
  await page.close();
}
