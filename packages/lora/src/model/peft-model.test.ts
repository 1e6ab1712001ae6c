import {
  fill,
  mul,
  sum,
  tensor,
  tensor2d,
  tidy,
  variableGrads,
  type Scalar,
  type Tensor2D,
  type Variable,
} from '@tensorflow/tfjs-core';
import { type Device, INFERENCE, type LinearLayer, openDevice } from '@qlora-js/kernels';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loraConfig, type LoraConfig } from '../config/lora-config';
import { inputRows, LABELS, TinyModel } from '../testing/tiny-model';
import { mergeAndUnload } from '../merge/merge';
import { loraPlusGroups } from './lora-plus';
import { getPeftModel, type PeftModel } from './peft-model';
import { prepareModelForKbitTraining } from './prepare';

const config = (options: Partial<LoraConfig> = {}): LoraConfig =>
  loraConfig({ r: 4, loraAlpha: 8, targetModules: ['c_attn', 'c_proj'], taskType: 'SEQ_CLS', ...options });

/** Gives every B values, so that adapters do something. */
function stirB(model: PeftModel, scale = 0.1): void {
  for (const [name, parameter] of model.namedParameters()) {
    if (!name.includes('.lora_B.')) continue;
    const values = Float32Array.from({ length: parameter.value.size }, (_, i) => scale * Math.sin(i + name.length));
    parameter.assign(tensor2d(values, parameter.shape as [number, number]));
  }
}

function outputs(model: PeftModel<TinyModel>, x: Tensor2D): Float32Array {
  return tidy(() => model.base.forward(x).dataSync() as Float32Array).slice();
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i]!)), 0);
}

describe.each(['cpu', 'wasm'] as const)('PeftModel on %s', (backend) => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice({ backend });
  });
  afterAll(() => device.dispose());

  it('starts from the base: a new adapter changes no output', () => {
    const base = new TinyModel();
    const x = inputRows(3);
    const before = tidy(() => base.forward(x).dataSync()) as Float32Array;
    const model = getPeftModel(base, config());
    expect(outputs(model, x)).toEqual(before);
  });

  it('trains A, B and the saved head and nothing else, and counts as PEFT does', () => {
    const model = getPeftModel(new TinyModel({ quantised: true }), config());
    const trained = [...model.namedParameters()]
      .filter(([, parameter]) => parameter.requiresGrad)
      .map(([name]) => name);
    expect(trained).toContain('base_model.model.transformer.h.0.attn.c_attn.lora_A.default.weight');
    expect(trained).toContain('base_model.model.score.modules_to_save.default.weight');
    expect(trained).toHaveLength(2 * 3 * 2 + 2);
    // Per layer three adapted 64 x 64 matrices of rank 4, and the head with its bias; the frozen head counts again.
    const lora = 2 * 3 * 4 * (64 + 64);
    const head = LABELS * 64 + LABELS;
    expect(model.parameterCounts()).toEqual({ trainable: lora + head, all: lora + 2 * head + 2 * 4 * (64 * 64 + 64) });
  });

  it('keeps several adapters apart and switches between them', () => {
    const model = getPeftModel(new TinyModel(), config(), { adapterName: 'one' });
    const x = inputRows(3);
    const base = outputs(model, x);
    stirB(model, 0.2);
    const one = outputs(model, x);
    model.addAdapter('two', config({ r: 2 }));
    expect(largestDifference(outputs(model, x), base)).toBe(0);
    model.setAdapter('one');
    expect(outputs(model, x)).toEqual(one);
    expect(largestDifference(one, base)).toBeGreaterThan(0.01);
    expect(model.withoutAdapters(() => outputs(model, x))).toEqual(base);
    expect(outputs(model, x)).toEqual(one);
    model.deleteAdapter('two');
    expect(model.adapterNames).toEqual(['one']);
    expect(outputs(model, x)).toEqual(one);
    expect(() => model.setAdapter('two')).toThrow("there is no adapter 'two'; the adapters are one");
  });

  it('frees everything an adapter held', () => {
    const model = getPeftModel(new TinyModel(), config(), { adapterName: 'keep' });
    const before = device.memory().tensors;
    model.addAdapter('gone', config());
    model.deleteAdapter('gone');
    model.setAdapter('keep');
    expect(device.memory().tensors).toBe(before);
  });

  it.each([
    ['alpha / r', { loraAlpha: 2 }, 0.5],
    ['alpha / sqrt(r) under rsLoRA', { loraAlpha: 2, useRslora: true }, 1],
    ["alpha / sqrt(r) of the pattern's rank", { loraAlpha: 8, useRslora: true, rankPattern: { c_attn: 16 } }, 8],
  ])('scales an update by %s', (_, options, update) => {
    const path = 'transformer.h.0.attn.c_attn';
    const model = getPeftModel(new TinyModel({ layers: 1 }), config(options));
    for (const [name, parameter] of model.namedParameters()) {
      // A row of A gives the mean of x, which is 1; B then adds up a quarter a rank: 1 at rank 4, 4 at rank 16.
      if (name.includes(`${path}.lora_A.`)) parameter.assign(fill(parameter.shape, 1 / 64));
      if (name.includes(`${path}.lora_B.`)) parameter.assign(fill(parameter.shape, 1 / 4));
    }
    const x = tensor2d(new Float32Array(2 * 64).fill(1), [2, 64]);
    const layer = (): number[] =>
      tidy(() => Array.from((model.base.module(path) as LinearLayer).forward(x, INFERENCE).dataSync()));
    const adapted = layer();
    const base = model.withoutAdapters(layer);
    expect(adapted).toHaveLength(2 * 64);
    for (const [i, value] of adapted.entries()) expect(value - base[i]!).toBeCloseTo(update, 5);
  });

  it('gives gradients that finite differences confirm, for LoRA and for DoRA', () => {
    for (const useDora of [false, true]) {
      const model = getPeftModel(new TinyModel({ layers: 1 }), config({ useDora }));
      stirB(model);
      const x = inputRows(2);
      const loss = (): Scalar =>
        sum(
          mul(
            model.base.forward(x),
            tensor2d(
              Array.from({ length: 2 * LABELS }, (_, i) => Math.cos(i)),
              [2, LABELS],
            ),
          ),
        );
      // DoRA holds the norms of W + s B A constant (Liu et al. 2024, 4.3), so only its magnitude has the slope of the loss.
      const checked = useDora ? /c_attn\.lora_magnitude/ : /c_attn\.lora_[AB]/;
      const parameters = [...model.namedParameters()].filter(([name, p]) => p.requiresGrad && checked.test(name));
      expect(parameters).toHaveLength(useDora ? 1 : 2);
      const { grads } = variableGrads(
        loss,
        parameters.map(([, p]) => p.variable),
      );
      for (const [name, parameter] of parameters) {
        const { variable } = parameter;
        const gradient = grads[variable.name]!.dataSync();
        for (const at of [0, Math.floor(variable.size / 2), variable.size - 1]) {
          expect(gradient[at], `${name}[${at}]`).toBeCloseTo(finiteDifference(variable, at, loss), 2);
        }
      }
    }
  });

  it('DoRA starts from the base and has one magnitude an output', () => {
    const base = new TinyModel();
    const x = inputRows(3);
    const before = tidy(() => base.forward(x).dataSync().slice()) as Float32Array;
    const model = getPeftModel(base, config({ useDora: true }));
    expect(largestDifference(outputs(model, x), before)).toBeLessThan(1e-5);
    const magnitude = [...model.namedParameters()].find(([name]) =>
      name.endsWith('h.0.attn.c_attn.lora_magnitude_vector.default.weight'),
    );
    expect(magnitude?.[1].shape).toEqual([64]);
  });

  it('names the layers there are where none fits', () => {
    expect(() => getPeftModel(new TinyModel(), config({ targetModules: ['q_proj'] }))).toThrow(
      /\["q_proj"\] fit no linear layer; the layers end in c_attn, c_proj, c_fc, score/,
    );
  });

  it('saves a 4-bit layer whole as a dense copy that trains, and merges what was trained', async () => {
    const model = getPeftModel(
      new TinyModel({ quantised: true }),
      config({ targetModules: ['c_attn'], modulesToSave: ['c_fc'] }),
    );
    const x = inputRows(3);
    const before = outputs(model, x);
    const saved = new Map([...model.namedParameters()].filter(([name]) => name.includes('c_fc.modules_to_save')));
    expect([...saved.values()].map(({ requiresGrad, shape }) => ({ requiresGrad, shape }))).toEqual([
      { requiresGrad: true, shape: [64, 64] },
      { requiresGrad: true, shape: [64] },
      { requiresGrad: true, shape: [64, 64] },
      { requiresGrad: true, shape: [64] },
    ]);
    for (const parameter of saved.values()) parameter.assign(mul(parameter.value, 1.5));
    const after = outputs(model, x);
    expect(largestDifference(after, before)).toBeGreaterThan(0.1);
    expect(model.withoutAdapters(() => outputs(model, x))).toEqual(before);
    const merged = await mergeAndUnload(model, { into: 'dense', base: 'decoded' });
    expect(
      largestDifference(
        tidy(() => merged.forward(x).dataSync() as Float32Array),
        after,
      ),
    ).toBeLessThan(1e-5);
  });

  it('refuses by name what it does not keep as a trained copy, and changes nothing', () => {
    const base = new TinyModel();
    const attempt = (options: Partial<LoraConfig>) => () => getPeftModel(base, config(options));
    expect(attempt({ modulesToSave: ['mlp'] })).toThrow(
      /modulesToSave names 'mlp', but 'transformer\.h\.0\.mlp' is no linear layer/,
    );
    expect(attempt({ modulesToSave: ['lm_head'] })).toThrow(
      /modulesToSave names 'lm_head', but no module's name ends in it; the linear layers end in c_attn, c_proj, c_fc, score/,
    );
    expect([...base.namedModules()].some(([path]) => path.includes('lora'))).toBe(false);

    const model = getPeftModel(base, config({ targetModules: ['c_attn'], modulesToSave: ['c_fc'] }));
    expect(() => model.addAdapter('other', config({ targetModules: ['c_proj'], modulesToSave: ['c_attn'] }))).toThrow(
      /another adapter has a low-rank update on 'transformer\.h\.0\.attn\.c_attn'/,
    );
    expect(() => model.addAdapter('other', config({ targetModules: ['c_fc'] }))).toThrow(
      /targetModules fit 'transformer\.h\.0\.mlp\.c_fc', which another adapter saves whole/,
    );
    expect(model.adapterNames).toEqual(['default']);
  });

  it('bias all trains every bias, lora_only those of adapted layers', () => {
    const biases = (bias: LoraConfig['bias']): number =>
      [...getPeftModel(new TinyModel(), config({ bias })).namedParameters()].filter(
        ([name, p]) => name.endsWith('.bias') && p.requiresGrad && !name.includes('modules_to_save'),
      ).length;
    expect([biases('none'), biases('lora_only'), biases('all')]).toEqual([0, 6, 9]);
  });

  it('prepares a model by freezing it', () => {
    const model = prepareModelForKbitTraining(new TinyModel());
    expect([...model.namedParameters()].every(([, parameter]) => !parameter.requiresGrad)).toBe(true);
  });
});

it('LoRA+ puts B into a group of its own', () => {
  const parameters = ['x.lora_A.default.weight', 'x.lora_B.default.weight', 'score.weight'].map((name) => ({ name }));
  const [slow, fast] = loraPlusGroups(parameters, 16);
  expect(slow).toEqual({ parameters: [parameters[0], parameters[2]], learningRateScale: 1 });
  expect(fast).toEqual({ parameters: [parameters[1]], learningRateScale: 16 });
});

function finiteDifference(variable: Variable, at: number, loss: () => Scalar): number {
  const STEP = 1e-2;
  const original = variable.dataSync().slice();
  const value = (offset: number): number => {
    const moved = original.slice();
    moved[at]! += offset;
    variable.assign(tensor(moved, variable.shape));
    return loss().dataSync()[0]!;
  };
  const slope = (value(STEP) - value(-STEP)) / (2 * STEP);
  value(0);
  return slope;
}
