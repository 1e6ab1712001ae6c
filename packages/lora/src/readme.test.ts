import { expect, it } from 'vitest';
import { runReadmeExample } from '../../../tools/test/readme';

it('runs the example of the README', async () => {
  expect(await runReadmeExample(import.meta.url)).toEqual([
    'trainable params: 10 || all params: 16 || trainable%: 62.5000',
    '{"0":1,"1":2,"2":3}',
    'adapter_config.json adapter_model.safetensors README.md',
    'true',
  ]);
});
