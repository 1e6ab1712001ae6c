import { readFileSync } from 'node:fs';
import { loadGpt2ForSequenceClassification } from '@qlora-js/gpt2';
import { folderFiles } from '@qlora-js/hub/node';
import { openDevice } from '@qlora-js/kernels';
import { adapterFiles, loadAdapter, PeftModel } from '@qlora-js/lora';
import { expect, it } from 'vitest';
import { besideFixtures, fixturesFolder } from '../../../../tools/test/fixtures';

it.skipIf(fixturesFolder === undefined)(
  "reads PEFT's adapters and writes their weights back byte for byte",
  async () => {
    const device = await openDevice({ backend: 'wasm' });
    for (const name of ['adapter-start', 'adapter-adamw_torch', 'adapter-paged_adamw_8bit']) {
      const { model } = await loadGpt2ForSequenceClassification(await folderFiles(besideFixtures('mini')!), {
        numLabels: 77,
      });
      const peft = new PeftModel(model);
      await loadAdapter(peft, await folderFiles(`${fixturesFolder}/${name}`));
      expect(peft.trainableParametersLine()).toBe(
        'trainable params: 290,048 || all params: 17,980,160 || trainable%: 1.6132',
      );
      const files = await adapterFiles(peft);
      const original = readFileSync(`${fixturesFolder}/${name}/adapter_model.safetensors`);
      expect(Buffer.compare(Buffer.from(files['adapter_model.safetensors'] as Uint8Array), original)).toBe(0);
      // Python writes the dropout 0 as 0.0, which JSON.stringify has no way to.
      const config = JSON.parse(files['adapter_config.json'] as string) as Record<string, unknown>;
      const json = JSON.parse(readFileSync(`${fixturesFolder}/${name}/adapter_config.json`, 'utf8')) as Record<
        string,
        unknown
      >;
      expect(config).toEqual(json);
      expect(Object.keys(config)).toEqual(Object.keys(json));
      peft.dispose();
    }
    device.dispose();
  },
);
