import { expect, it } from 'vitest';
import { runReadmeExample } from '../../../tools/test/readme';

it('the example of the README runs', async () => {
  const printed = await runReadmeExample(import.meta.url);
  // The first three and the report are scikit-learn's and numpy's for the same logits.
  expect(printed.slice(0, 4)).toEqual([
    'accuracy 0.8333',
    'macro F1 0.8222',
    'calibration error 0.1665',
    'majority class 0.3333',
  ]);
  expect(printed[4]).toBe('95 % interval of the accuracy 0.50 to 1.00');
  expect(printed[5]).toContain('   lost_card       0.67      1.00      0.80         2\n');
});
