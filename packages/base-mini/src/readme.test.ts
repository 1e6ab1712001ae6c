import { expect, it } from 'vitest';
import { runReadmeExample } from '../../../tools/test/readme';

it("runs the README's example", async () => {
  const [parameters, answer] = await runReadmeExample(import.meta.url);
  expect(parameters).toBe('17,670,400 parameters');
  expect(answer).toMatch(/^I want to book a table at a restaurant/);
});
