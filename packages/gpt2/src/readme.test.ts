import { expect, it } from 'vitest';
import { runReadmeExample } from '../../../tools/test/readme';

it("runs the README's example", async () => {
  const printed = await runReadmeExample(import.meta.url);
  expect(printed.slice(0, 2)).toEqual(['starts anew: ["score.weight"]', 'logits: [2,16]']);
  expect(printed[2]).toMatch(/^What time would you like/);
  expect(printed).toHaveLength(3);
});
