import { expect, it } from 'vitest';
import { runReadmeExample } from '../../../tools/test/readme';

it('the example of the README runs', async () => {
  const [state, whole, difference] = await runReadmeExample(import.meta.url);
  expect([state, whole]).toEqual(['finished 200 0.75', 'true']);
  expect(difference).toMatch(/^0 -?\d\S* \d\S* true$/);
});
