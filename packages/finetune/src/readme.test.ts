import { expect, it } from 'vitest';
import { runReadmeExample } from '../../../tools/test/readme';

it('runs the example of the README', async () => {
  const printed = await runReadmeExample(import.meta.url);
  expect(printed[0]).toMatch(/^\d+ parameters trained, accuracy [01](\.\d+)?$/);
  expect(printed[1]).toBe(
    'README.md, adapter_config.json, adapter_model.safetensors, config.json, merges.txt, metrics.json, run.json, special_tokens_map.json, tokenizer_config.json, vocab.json',
  );
  expect(printed[2]).toMatch(/^3 labels, the first one \w+$/);
});
