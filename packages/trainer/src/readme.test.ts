import { expect, it } from 'vitest';
import { runReadmeExample } from '../../../tools/test/readme';

it('runs the example of the README', async () => {
  expect(await runReadmeExample(import.meta.url)).toEqual(['6 steps, accuracy 1']);
});
