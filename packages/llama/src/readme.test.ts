import { expect, it } from 'vitest';
import { runReadmeExample } from '../../../tools/test/readme';

it("runs the README's example", async () => {
  expect(await runReadmeExample(import.meta.url)).toEqual(['logits: [5,32]', 'goes on with 4 tokens']);
});
