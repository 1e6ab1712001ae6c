import { expect, it } from 'vitest';
import { runReadmeExample } from '../../../tools/test/readme';

it('the example of the README runs', async () => {
  const printed = await runReadmeExample(import.meta.url);
  // torch gives these with the same mask.
  expect(printed).toEqual(['loss 0.6177', 'gradient of the head -0.0470 0.0470 0.0173 -0.0173']);
});
