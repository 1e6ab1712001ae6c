import { expect, it } from 'vitest';
import { runReadmeExample, runReadmeSection } from '../../../tools/test/readme';

it('runs the example of the README', async () => {
  const lines = await runReadmeExample(import.meta.url);
  expect([lines[0], lines.at(-1)]).toEqual(['training 6 steps of 8 rows', '6 steps, accuracy 1']);
});

it('runs the section on threads', async () => {
  const [first, ...others] = await runReadmeSection(import.meta.url, 'Threads without a GPU');
  expect(first).toMatch(/^16 steps on 2 threads, loss 0\.\d+$/);
  expect(others).toEqual([]);
});
