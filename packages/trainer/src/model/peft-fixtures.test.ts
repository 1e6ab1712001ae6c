import { readFileSync } from 'node:fs';
import { loadGpt2ForSequenceClassification } from '@qlora-js/gpt2';
import { folderFiles } from '@qlora-js/hub/node';
import { openDevice } from '@qlora-js/kernels';
import { adapterFiles, loadAdapter, PeftModel } from '@qlora-js/lora';
import { expect, it } from 'vitest';
import { goldenJson, goldenPath } from '../../../../tools/test/golden';
import { goldenRuns } from '../testing/golden';

/** PEFT takes module names for sets: it writes them in any order, and the heads twice where it loaded an adapter. */
function withSortedNames(config: Record<string, unknown>): Record<string, unknown> {
  const sorted = (key: string): string[] => [...new Set(config[key] as string[])].sort();
  return { ...config, target_modules: sorted('target_modules'), modules_to_save: sorted('modules_to_save') };
}

it.each(['adapter-start', 'adapter-adamw_torch', 'adapter-paged_adamw_8bit'])(
  "reads PEFT's %s and writes its weights back byte for byte",
  async (name) => {
    const device = await openDevice({ backend: 'wasm' });
    const folder = goldenPath('training');
    const { numLabels, trainableParameters } = goldenRuns(folder);
    const { model } = await loadGpt2ForSequenceClassification(await folderFiles(`${folder}/base`), { numLabels });
    const peft = new PeftModel(model);
    await loadAdapter(peft, await folderFiles(`${folder}/${name}`));
    expect(peft.trainableParametersLine()).toBe(trainableParameters);
    const files = await adapterFiles(peft);
    const original = readFileSync(`${folder}/${name}/adapter_model.safetensors`);
    expect(Buffer.compare(Buffer.from(files['adapter_model.safetensors'] as Uint8Array), original)).toBe(0);
    // Python writes the dropout 0 as 0.0, which JSON.stringify has no way to.
    const config = JSON.parse(files['adapter_config.json'] as string) as Record<string, unknown>;
    const recorded = goldenJson<Record<string, unknown>>(`training/${name}/adapter_config.json`);
    expect(withSortedNames(config)).toEqual(withSortedNames(recorded));
    expect(Object.keys(config)).toEqual(Object.keys(recorded));
    peft.dispose();
    device.dispose();
  },
);
