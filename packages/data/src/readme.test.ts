import { expect, it } from 'vitest';
import { runReadmeExample } from '../../../tools/test/readme';

it('runs the example of the README', async () => {
  const printed = await runReadmeExample(import.meta.url);
  expect(printed).toHaveLength(3);
  expect(printed[0]).toMatch(
    /^train: 1,260 rows, columns input_ids, attention_mask, label\n {2}20 labels, 63 to 63 rows each; first rows: \w+, \w+\n {2}tokens a text: mean /,
  );
  expect(printed[1]).toMatch(/^\d+ texts were cut$/);
  expect(printed[2]).toMatch(/^\[16, (\d+)\], \d+ tokens of \d+, 16 labels$/);
});
