import { createServer } from 'node:http';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type Part } from './part';
import { give, press, textOf, visit } from './visit';

/** Six texts of each of two labels; one is there twice under both, one has no label. */
function reviews(): string {
  const rows = ['good', 'bad'].flatMap((label) =>
    Array.from({ length: 6 }, (_, index) => `"a ${label} film, seen ${index + 1} times",${label}`),
  );
  return ['review,verdict', ...rows, '"A good film, seen 1 times",bad', '"no verdict",'].join('\n');
}

/** A dropped file is read, its problems are named, and neither it nor anything else leaves the page. */
export async function ownData({ browser, check, address, folder }: Part): Promise<void> {
  const path = join(folder, 'reviews.csv');
  await writeFile(path, reviews());
  const { page, requests, errors } = await visit(browser, address);
  await textOf(page, 'data', /labels/);
  const before = requests.length;
  await give(page, 'Your own texts', path);
  await press(page, 'Leave such rows out');
  const data = await textOf(page, 'data', / 2 labels/);
  check(
    'playground: a dropped file is read',
    /^\d+ texts to train with, \d+ to choose by, \d+ to test with/.test(data),
    true,
  );
  const columns = await page.$$eval('[data-testid="columns"] select', (fields) => fields.map(({ value }) => value));
  check('playground: its columns are guessed and shown', columns, ['review', 'verdict']);
  const lengths = await textOf(page, 'lengths', /tokens/);
  check('playground: lengths are said', /the longest \d+; none is cut to 64\.$/.test(lengths), true);
  const problems = await textOf(page, 'problems', /left out/);
  check(
    'playground: problem rows are named with their places',
    [/reviews\.csv, line 14 repeats|repeats reviews\.csv, line 14/.test(problems), /line 15/.test(problems)],
    [true, true],
  );
  // Scripts and the tokenizer come; anything but a plain question to the own origin would be marked or elsewhere.
  check(
    'playground: reading a file sends nothing and asks the own origin alone',
    requests.slice(before).filter((request) => !request.startsWith(address)),
    [],
  );
  check('playground: no errors with own data', errors, []);
  await policyHolds({ page, check });
  await page.close();
}

/** Neither the page nor its workers can reach another origin. */
async function policyHolds({ page, check }: { page: Awaited<ReturnType<typeof visit>>['page']; check: Part['check'] }) {
  let reached = 0;
  const server = createServer((_, response) => {
    reached++;
    response.setHeader('access-control-allow-origin', '*').end('reached');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const other = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const ask = async (url: string): Promise<string> =>
      fetch(url).then(
        () => 'answered',
        () => 'refused',
      );
    const workers = page.workers();
    check('playground: a worker computes', workers.length > 0, true);
    const answers = [await page.evaluate(ask, other)];
    for (const worker of workers) answers.push(await worker.evaluate(ask, other));
    check(
      'playground: its policy holds in the page and in workers',
      answers,
      answers.map(() => 'refused'),
    );
    check('playground: another origin is not reached', reached, 0);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}
