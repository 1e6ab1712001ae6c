import { expect, it } from 'vitest';
import { runReadmeExample } from '../../../tools/test/readme';

it('the example of the README runs', async () => {
  expect(await runReadmeExample(import.meta.url)).toEqual([
    '["50: 4.21","100: 3.97"]',
    'nf4-r16 {"learning_rate":0.0005,"hub_token":"[redacted]"}',
    '50 loss learning_rate',
    '100 loss eval_f1 grad_norm',
    'finished',
    'failures 0',
  ]);
});
