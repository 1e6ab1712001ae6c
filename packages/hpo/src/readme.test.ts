import { expect, it } from 'vitest';
import { runReadmeExample } from '../../../tools/test/readme';

it("runs the README's example", async () => {
  const [counts, best, ...rest] = await runReadmeExample(import.meta.url);
  const [, complete, pruned] = /^(\d+) complete, (\d+) pruned, 0 failed$/.exec(counts!)!;
  expect(Number(complete) + Number(pruned)).toBe(40);
  expect(Number(pruned)).toBeGreaterThan(0);
  const [, f1, params] = /^best F1 (0\.\d{3}) in trial \d+ (.*)$/.exec(best!)!;
  // 0.93 less the last halving's share, at the best learning rate, batch size and five epochs.
  expect(Number(f1)).toBeGreaterThan(0.88);
  expect(JSON.parse(params!)).toMatchObject({ batch_size: 8, num_train_epochs: 5 });
  expect(rest).toEqual([]);
});
