import { expect, it } from 'vitest';
import { runReadmeExample } from '../../../tools/test/readme';

it('the example of the README runs', async () => {
  expect(await runReadmeExample(import.meta.url)).toEqual([
    'tensorboard true',
    'final_best_QLoRA-NF4 {"learning_rate":0.0005,"hub_token":"[redacted]"}',
    '50 loss learning_rate',
    '50 eval_loss eval_f1 loss_gap',
    '100 loss grad_norm',
    'finished',
    'runs synced 1',
  ]);
});
