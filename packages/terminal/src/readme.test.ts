import { expect, it } from 'vitest';
import { runReadmeExample } from '../../../tools/test/readme';

it('the example of the README runs', async () => {
  expect(await runReadmeExample(import.meta.url)).toEqual([
    'step 40  loss 1.21',
    expect.stringMatching(/^train {2}█{7}░{10} {2}40\/100 {2}15s left {2}4\.0\/s {2}loss 1\.21$/),
  ]);
});
