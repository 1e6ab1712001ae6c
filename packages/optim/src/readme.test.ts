import { expect, it } from 'vitest';
import { runReadmeExample } from '../../../tools/test/readme';

it('the example of the README runs', async () => {
  const [start, ...rest] = await runReadmeExample(import.meta.url);
  expect(start).toMatch(/^norm \d\.\d{3}, learning rate 0\.01$/);
  expect(rest).toEqual(['3.00 -2.00 1.00', '300 steps, states m and v']);
});
