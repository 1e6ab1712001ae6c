import { expect, it } from 'vitest';
import { runReadmeExample } from '../../../tools/test/readme';

it('runs the example of the README', async () => {
  expect(await runReadmeExample(import.meta.url)).toEqual(['wte.weight F16 [2,2] [1,0.5,-2,65504]']);
});
