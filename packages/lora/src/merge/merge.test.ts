import { tensor2d, tidy, type Tensor2D } from '@tensorflow/tfjs-core';
import { Linear, openDevice, type Device } from '@qlora-js/kernels';
import { Linear4bit } from '@qlora-js/quant';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loraConfig } from '../config/lora-config';
import { getPeftModel, type PeftModel } from '../model/peft-model';
import { inputRows, TinyModel, type TinyOptions } from '../testing/tiny-model';
import { compareMerges } from './compare';
import { mergeAdapters, mergeAndUnload } from './merge';

function trained(options: TinyOptions, useDora = false): PeftModel<TinyModel> {
  const model = getPeftModel(
    new TinyModel(options),
    loraConfig({ r: 4, loraAlpha: 8, targetModules: ['c_attn', 'c_proj'], taskType: 'SEQ_CLS', useDora }),
  );
  for (const [name, parameter] of model.namedParameters()) {
    if (!name.includes('.lora_B.')) continue;
    parameter.assign(
      tensor2d(
        Float32Array.from({ length: parameter.value.size }, (_, i) => 0.1 * Math.sin(i)),
        parameter.shape as [number, number],
      ),
    );
  }
  return model;
}

const logits = (model: TinyModel, x: Tensor2D): Float32Array =>
  tidy(() => model.forward(x).dataSync() as Float32Array).slice();

function relative(a: Float32Array, b: Float32Array): number {
  const squares = (values: ArrayLike<number>): number => Array.from(values).reduce((sum, value) => sum + value ** 2, 0);
  return Math.sqrt(squares(a.map((value, i) => value - b[i]!)) / squares(b));
}

describe('merging on wasm', () => {
  let device: Device;
  let x: Tensor2D;
  beforeAll(async () => {
    device = await openDevice({ backend: 'wasm' });
    x = inputRows(6);
  });
  afterAll(() => device.dispose());

  it.each([
    ['LoRA on a dense base', {}, false],
    ['LoRA on a 4-bit base', { quantised: true }, false],
    ['DoRA on a 4-bit base', { quantised: true }, true],
  ])('dense: merged equals unmerged within float32, %s', async (_name, options, useDora) => {
    const model = trained(options, useDora);
    const before = logits(model.base, x);
    const merged = await mergeAndUnload(model, { into: 'dense', base: 'decoded' });
    expect(relative(logits(merged, x), before)).toBeLessThan(1e-5);
    expect(merged.module('transformer.h.0.attn.c_attn')).toBeInstanceOf(Linear);
    expect(merged.module('score')).toBeInstanceOf(Linear);
  });

  it('into 4 bits: the layer stays 4-bit and the logits move by rounding', async () => {
    const model = trained({ quantised: true });
    const before = logits(model.base, x);
    const merged = await mergeAdapters(model, { into: 'base-kind', base: 'decoded' });
    expect(model.base.module('transformer.h.1.mlp.c_proj')).toBeInstanceOf(Linear4bit);
    const moved = relative(logits(model.base, x), before);
    expect(moved).toBeGreaterThan(1e-4);
    expect(moved).toBeLessThan(0.5);
    merged.unmerge();
    expect(logits(model.base, x)).toEqual(before);
  });

  it('starts from the original weights where they are given', async () => {
    const model = trained({ quantised: true });
    const before = logits(model.base, x);
    const asked: string[] = [];
    const merged = await mergeAdapters(model, {
      into: 'dense',
      base: (name) => {
        asked.push(name);
        return new Float32Array(64 * 64);
      },
    });
    expect(asked).toHaveLength(6);
    expect(asked[0]).toBe('transformer.h.0.attn.c_attn');
    expect(relative(logits(model.base, x), before)).toBeGreaterThan(0.1);
    merged.unmerge();
    await expect(mergeAdapters(model, { into: 'dense', base: () => new Float32Array(3) })).rejects.toThrow(
      "the original weight of 'transformer.h.0.attn.c_attn' has 3 elements",
    );
  });

  it('gives back what it took', async () => {
    const model = trained({ quantised: true });
    const before = device.memory().tensors;
    const merged = await mergeAdapters(model, { into: 'dense', base: 'decoded' });
    merged.unmerge();
    expect(device.memory().tensors).toBe(before);
  });

  it('compares adapter, dense merge and 4-bit merge', async () => {
    const model = trained({ quantised: true });
    const before = logits(model.base, x);
    const labels = Array.from({ length: 6 }, (_, row) =>
      before.subarray(row * 5, row * 5 + 5).indexOf(Math.max(...before.subarray(row * 5, row * 5 + 5))),
    );
    const [adapter, dense, fourBit] = await compareMerges(model, {
      logits: () => model.base.forward(x),
      labels,
      base: 'decoded',
    });
    expect(adapter).toEqual({
      name: 'adapter',
      accuracy: 1,
      logitsRmse: 0,
      logitsMaxDifference: 0,
      changedPredictions: 0,
    });
    expect(dense!.logitsRmse).toBeLessThan(1e-5);
    expect(fourBit!.logitsRmse).toBeGreaterThan(10 * dense!.logitsRmse);
    expect(fourBit!.accuracy).toBeCloseTo(1 - fourBit!.changedPredictions / 6, 12);
    expect(logits(model.base, x)).toEqual(before);
  });
});
