import { openDevice } from '@qlora-js/kernels';
import { adapterStateDict, loraPlusGroups } from '@qlora-js/lora';
import { clipGradients, createOptimizer, type ParameterGroup } from '@qlora-js/optim';
import { expect, it } from 'vitest';
import { sequenceClassifier } from '../model/sequence-classifier';
import { collator, PAD, tinyClassifier, tinyRows } from '../testing/tiny-classifier';
import { windowGradients } from './gradients';

/** Weights after three steps, with the learning-rate ratio of LoRA+ or, without one, in a single group. */
async function trained(ratio?: number): Promise<Map<string, Float32Array>> {
  const model = tinyClassifier({ dropout: 0 });
  const classifier = sequenceClassifier(model, { padTokenId: PAD });
  const parameters = classifier.trainedVariables();
  const groups: readonly ParameterGroup[] = ratio === undefined ? [{ parameters }] : loraPlusGroups(parameters, ratio);
  const optimizer = createOptimizer('adamw_torch', groups);
  const rows = tinyRows(18);
  for (let step = 0; step < 3; step++) {
    const batch = collator().collate([0, 1, 2, 3, 4, 5].map((i) => rows.row(6 * step + i)));
    const { loss, gradients } = windowGradients(classifier, parameters, [batch], { seed: 0, step });
    const { norm, control } = clipGradients(gradients, { maxNorm: 1 });
    await optimizer.step(gradients, { learningRate: 1e-2, control });
    for (const held of [loss, norm, control, ...gradients.values()]) held.dispose();
  }
  const weights = await adapterStateDict(model);
  optimizer.dispose();
  model.dispose();
  return new Map(weights.map(({ name, bytes }) => [name, new Float32Array(bytes.slice().buffer)]));
}

it('LoRA+ with ratio 1 trains to the bits LoRA trains to, and with 16 moves B farther', async () => {
  const device = await openDevice({ backend: 'wasm' });
  const [plain, one, sixteen] = [await trained(), await trained(1), await trained(16)];
  expect(one).toEqual(plain);
  const norm = (values: Float32Array): number => Math.hypot(...values);
  for (const [name, values] of plain) {
    // B starts from zero: its norm is how far it went.
    if (name.includes('lora_B')) expect(norm(sixteen.get(name)!), name).toBeGreaterThan(4 * norm(values));
  }
  device.dispose();
});
