import { readFileSync } from 'node:fs';
import { tensor1d, tidy, variableGrads } from '@tensorflow/tfjs-core';
import { loadGpt2ForSequenceClassification, packSequences, type GPT2ForSequenceClassification } from '@qlora-js/gpt2';
import { folderFiles } from '@qlora-js/hub/node';
import { openDevice, type Device } from '@qlora-js/kernels';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GoldenTensors } from '../../../tools/test/safetensors';
import { adapterStateDict, getPeftModel, loadAdapter, loraConfigFromJson, loraConfigToJson, PeftModel } from '../src';

/** What tools/python/golden_adapters.py has recorded from PEFT. */
const folder = new URL('./golden/', import.meta.url).pathname;
const recorded = JSON.parse(readFileSync(`${folder}versions.json`, 'utf8')) as {
  readonly cases: readonly string[];
  readonly texts: readonly (readonly number[])[];
  readonly labels: readonly number[];
};

/** All but where a run says otherwise, as `verify -- mutate` does. */
const BACKENDS = (process.env['QLORA_TEST_BACKENDS'] ?? 'cpu,wasm,webgpu').split(',') as ('cpu' | 'wasm' | 'webgpu')[];

const TRAINING = { training: true };

async function base(): Promise<GPT2ForSequenceClassification> {
  const { model } = await loadGpt2ForSequenceClassification(await folderFiles(`${folder}base`), {
    numLabels: 5,
    quantization: null,
  });
  return model;
}

/** Distance of two lists of numbers in terms of the second one's length. */
function relativeDistance(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(found.length).toBe(expected.length);
  const squares = (value: (at: number) => number): number =>
    Array.from(expected).reduce((sum, _, at) => sum + value(at) ** 2, 0);
  return Math.sqrt(squares((at) => found[at]! - expected[at]!) / squares((at) => expected[at]!));
}

describe.each(BACKENDS)('adapters of PEFT on %s', (backend) => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice({ backend });
  });
  afterAll(() => device.dispose());

  it.each(recorded.cases)('%s: trains the same parameters, with the logits and gradients of PEFT', async (name) => {
    const expected = new GoldenTensors(`${folder}${name}/expected.safetensors`);
    const model = new PeftModel(await base());
    const packed = packSequences(recorded.texts, model.base.config);
    const labels = tensor1d([...recorded.labels], 'int32');
    const run = async (): Promise<Float32Array> => {
      const logits = tidy(() => model.base.forward(packed, TRAINING));
      const values = (await logits.data<'float32'>()).slice();
      logits.dispose();
      return values;
    };
    const before = await run();
    await loadAdapter(model, await folderFiles(`${folder}${name}`));
    const trained = [...model.namedParameters()].filter(([, parameter]) => parameter.requiresGrad);
    const names = expected.names.filter((key) => key.startsWith('gradient.')).map((key) => key.slice(9));
    expect(trained.map(([path]) => path).sort()).toEqual(names.sort());

    expect(relativeDistance(await run(), expected.floats('logits'))).toBeLessThan(2e-6);
    // An adapter that does nothing would have to fail.
    expect(relativeDistance(before, expected.floats('logits'))).toBeGreaterThan(0.1);

    const variables = new Map(trained.map(([path, { variable }]) => [path, variable]));
    const { value, grads } = variableGrads(
      () => model.base.loss(packed, labels, TRAINING).loss,
      [...variables.values()],
    );
    expect((await value.data())[0]).toBeCloseTo(expected.floats('loss')[0]!, 5);
    for (const [path, variable] of variables) {
      const gradient = grads[variable.name]!;
      const golden = expected.get(`gradient.${path}`);
      let values = expected.floats(`gradient.${path}`);
      // PEFT's copy of a Conv1D is [in, out].
      if (path.includes('.c_') && path.endsWith('.modules_to_save.default.weight')) {
        values = transposed(values, golden.shape);
      } else {
        expect(gradient.shape, path).toEqual(golden.shape);
      }
      expect(relativeDistance(await gradient.data(), values), path).toBeLessThan(2e-5);
    }
    model.dispose();
  });
});

describe('files of PEFT', () => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice({ backend: 'cpu' });
  });
  afterAll(() => device.dispose());

  it.each(recorded.cases)('%s: what is read is written again, every name, shape, value and key', async (name) => {
    const text = readFileSync(`${folder}${name}/adapter_config.json`, 'utf8');
    const json = JSON.parse(text) as Record<string, unknown>;
    const config = loraConfigFromJson(json);
    const written = JSON.parse(loraConfigToJson(config)) as Record<string, unknown>;
    expect(Object.keys(written)).toEqual(Object.keys(json));
    // A number alone and its list mean the same layers, a name alone and its list the same pattern.
    const lists = (value: unknown): unknown => (value === null || Array.isArray(value) ? value : [value]);
    expect(written).toEqual({
      ...json,
      layers_to_transform: lists(json['layers_to_transform']),
      layers_pattern: lists(json['layers_pattern']),
    });
    const model = getPeftModel(await base(), config, { seed: 1 });
    await loadAdapter(model, await folderFiles(`${folder}${name}`));
    const golden = new GoldenTensors(`${folder}${name}/adapter_model.safetensors`);
    const stored = await adapterStateDict(model);
    expect(stored.map((tensor) => tensor.name).sort()).toEqual(golden.names.sort());
    for (const tensor of stored) expect({ ...tensor }, tensor.name).toEqual(golden.get(tensor.name));
    model.dispose();
  });
});

function transposed(values: Float32Array, [rows, columns]: readonly number[]): Float32Array {
  return values.map((_, at) => values[(at % rows!) * columns! + Math.floor(at / rows!)]!);
}
