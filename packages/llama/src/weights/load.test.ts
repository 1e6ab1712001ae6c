import { afterAll, beforeAll, expect, it } from 'vitest';
import { openDevice, type Device } from '@qlora-js/kernels';
import { goldenLlama, tinyFiles } from '../../test/tiny-llama';
import { LlamaError } from '../errors';
import { loadLlamaForCausalLM, loadLlamaForSequenceClassification } from './load';

const { config } = goldenLlama.variants[0]!;

let device: Device;
beforeAll(async () => {
  device = await openDevice({ backend: 'cpu' });
});
afterAll(() => device.dispose());

it('takes one label, whose logit is a number that is predicted, and refuses none', async () => {
  const { model, report } = await loadLlamaForSequenceClassification(tinyFiles(config), { numLabels: 1 });
  expect([model.numLabels, report.newlyInitialized]).toEqual([1, ['score.weight']]);
  model.dispose();
  const none = loadLlamaForSequenceClassification(tinyFiles(config), { numLabels: 0 });
  await expect(none).rejects.toThrow('numLabels is 0, but a head needs at least 2 labels, or 1 for a number');
  await expect(none).rejects.toBeInstanceOf(LlamaError);
});

it("refuses what a checkpoint lacks with the family's own error and names", async () => {
  const deeper = { ...config, num_hidden_layers: (config['num_hidden_layers'] as number) + 1 };
  const files = tinyFiles(config);
  const json = async (): Promise<unknown> => deeper;
  const lacking = loadLlamaForCausalLM({ ...files, json, has: files.has.bind(files), open: files.open.bind(files) });
  await expect(lacking).rejects.toThrow(/lacks 'model\.layers\.\d+\./);
  await expect(lacking).rejects.toMatchObject({ name: 'LlamaError', code: 'BAD_CHECKPOINT' });
});
