import { expect, it } from 'vitest';
import { runReadmeExample } from '../../../tools/test/readme';

it('runs the example of the README', async () => {
  expect(await runReadmeExample(import.meta.url)).toEqual([
    '{"n_layer":24}',
    'MALFORMED_JSON: bomb.json nests deeper than 128 at character 128, refused.',
    expect.stringMatching(
      /^OVER_BUDGET: bomb.json: reading its 12000004 bytes would take more than 67108864 bytes of memory/,
    ),
  ]);
});
