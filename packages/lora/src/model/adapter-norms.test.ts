import { tensor2d } from '@tensorflow/tfjs-core';
import { openDevice, type Device } from '@qlora-js/kernels';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loraConfig } from '../config/lora-config';
import { TinyModel, WIDTH } from '../testing/tiny-model';
import { adapterNorms } from './adapter-norms';
import { getPeftModel } from './peft-model';

let device: Device;
beforeAll(async () => {
  device = await openDevice({ backend: 'cpu' });
});
afterAll(() => device.dispose());

it('gives each layer the norm of scaling * B A, and of its weight', async () => {
  const r = 2;
  const model = getPeftModel(
    new TinyModel({ layers: 1 }),
    loraConfig({ r, loraAlpha: 3 * r, targetModules: ['c_attn', 'c_fc'], taskType: 'SEQ_CLS' }),
  );
  for (const [name, parameter] of model.namedParameters()) {
    const at = /\.lora_([AB])\.default\.weight$/.exec(name)?.[1];
    if (at === undefined) continue;
    // B A has 0.5 * 2 * r = 2 everywhere in c_attn, and nothing in c_fc.
    const value = name.includes('c_fc') && at === 'B' ? 0 : at === 'A' ? 0.5 : 2;
    const [rows, columns] = parameter.shape as [number, number];
    parameter.assign(tensor2d(new Float32Array(rows * columns).fill(value), [rows, columns]));
  }
  const norms = await adapterNorms(model);
  expect(norms.map(({ layer }) => layer)).toEqual(['transformer.h.0.attn.c_attn', 'transformer.h.0.mlp.c_fc']);
  expect(norms[0]!.change).toBeCloseTo(3 * 0.5 * 2 * r * WIDTH, 2);
  expect(norms[1]!.change).toBe(0);
  const frozen = model.base.module('transformer.h.0.attn.c_attn') as unknown as {
    denseWeight(): { dataSync(): Float32Array };
  };
  const squares = frozen
    .denseWeight()
    .dataSync()
    .reduce((sum, value) => sum + value ** 2, 0);
  expect(norms[0]!.weight).toBeCloseTo(Math.sqrt(squares), 3);
  await expect(adapterNorms(model, 'other')).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
});
