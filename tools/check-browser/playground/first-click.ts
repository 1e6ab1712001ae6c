import { type Part } from './part';
import { downloaded, fill, press, shownLabels, textOf, visit } from './visit';
import { labelsInNode } from './node-labels';

const TEXT = 'Where is my new card?';

/** One click trains; it pauses, goes on, a text's labels move meanwhile, and Node labels with what is downloaded. */
export async function firstClick({ browser, check, address, folder }: Part): Promise<void> {
  const { page, requests, errors } = await visit(browser, address);
  const found = await textOf(page, 'found', /compute/);
  check('playground: says what it found', /^No GPU to use here: .* will compute\.$/.test(found), true);
  await fill(page, 'Questions a label', '4');
  await fill(page, 'Epochs', '1');
  // 20 labels of 4 texts in steps of 16.
  const plan = await textOf(page, 'plan', /^80 texts.* 5 steps/);
  check('playground: says what the run will take', /^80 texts with 20 labels, 5 steps of 16 texts\./.test(plan), true);
  await fill(page, 'A text of yours', TEXT);
  await page.evaluate(countTurns);
  await press(page, 'Start training');
  await textOf(page, 'labelled-at', /After step 1$/);
  const early = await shownLabels(page);
  await press(page, 'Pause');
  const paused = await textOf(page, 'stage-a', /^Paused/);
  check('playground: pauses after a step', /^Paused after step [1-5] of 5\.$/.test(paused), true);
  await press(page, 'Go on');
  const done = await textOf(page, 'stage-a', /^Done|failed/);
  check('playground: trains to its end', /^Done after 5 steps: .* of 160 test texts/.test(done), true);
  const turns = await page.evaluate(() => (globalThis as typeof globalThis & Turns).turns);
  // A page that computed in its main thread would come to a timer once a step or so; this one has some hundred turns a step.
  check(`playground: the main thread answers while it trains`, turns > 10 * 5, true);
  await textOf(page, 'labelled-at', /After step 5$/);
  const late = await shownLabels(page);
  check('playground: labels move as the training goes on', early.join() === late.join(), false);
  const points = await page.$eval('.chart polyline', (line) => line.getAttribute('points')!.split(' ').length);
  check('playground: the loss of every step is drawn', points, 5);

  const zip = await downloaded(page, 'Download the adapter');
  const inNode = await labelsInNode(zip, { folder, text: TEXT, topK: late.length });
  check('playground: Node labels as the page does, with the downloaded adapter', inNode, late);

  check(
    'playground: asks its own origin alone, and sends nothing',
    requests.filter((request) => !request.startsWith(address)),
    [],
  );
  check('playground: no errors', errors, []);
  await page.close();
}

interface Turns {
  turns: number;
}

/** In the page: counts the turns that its main thread has for a timer. */
function countTurns(): void {
  const counter = Object.assign(globalThis, { turns: 0 });
  setInterval(() => counter.turns++, 4);
}
