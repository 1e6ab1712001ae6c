import { readFileSync } from 'node:fs';
import { memory, tidy } from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  float32ToBfloat16,
  float32ToFloat16,
  memoryFiles,
  serializeSafetensors,
  type ModelFiles,
  type StoredTensor,
} from '@qlora-js/hub';
import { folderFiles } from '@qlora-js/hub/node';
import { countParameters, INFERENCE, Linear, openDevice, type Device } from '@qlora-js/kernels';
import { Linear4bit, quantizeArray, quantStateToTensors } from '@qlora-js/quant';
import { goldenJson, goldenPath } from '../../../../tools/test/golden';
import { GoldenTensors } from '../../../../tools/test/safetensors';
import { largestDifference } from '../../../../tools/test/compare';
import { floatTensor, TINY, tinyFiles, tinyTensors } from '../../../../tools/test/tiny-gpt2';
import { packSequences } from '../batch/token-batch';
import { loadGpt2, loadGpt2ForSequenceClassification } from './load';
import { loadGpt2LMHeadModel } from './load-language-model';
import { loadReportLines } from './load-model';
import { transposed } from './transpose';

let device: Device;
beforeAll(async () => {
  device = await openDevice({ backend: 'cpu' });
});
afterAll(() => {
  device.dispose();
});

const checkpoints = goldenPath('checkpoints');

/** A golden pickle with its config.json. */
const pickleFiles = (name: string): ModelFiles =>
  memoryFiles(name, {
    'config.json': readFileSync(`${checkpoints}/config.json`),
    'pytorch_model.bin': readFileSync(`${checkpoints}/${name}`),
  });

describe('checkpoints as the hub has them', () => {
  it.each<[string, () => Promise<ModelFiles>]>([
    ['a legacy pickle', async () => pickleFiles('legacy.bin')],
    ['a zip pickle', async () => pickleFiles('zip.bin')],
    ['sharded safetensors', () => folderFiles(`${checkpoints}/sharded`)],
  ])('%s gives the hidden states and logits of transformers', async (_, files) => {
    const golden = new GoldenTensors(`${checkpoints}/forward.safetensors`);
    const ids = new Int32Array(golden.bytes('input_ids').slice().buffer);
    const { model, report } = await loadGpt2LMHeadModel(await files(), { quantization: null });
    // Masks and the copy of the embedding as a head are known, and listed.
    expect(report).toMatchObject({ newlyInitialized: [], unexpected: [] });
    const length = ids.length / 2;
    const batch = packSequences([ids.subarray(0, length), ids.subarray(length)], model.config);
    const hidden = tidy(() => model.transformer.forward(batch, INFERENCE));
    expect(largestDifference(await hidden.data(), golden.floats('hidden'))).toBeLessThan(1e-4);
    const logits = tidy(() => model.forward(batch, INFERENCE));
    expect(largestDifference(await logits.data(), golden.floats('logits'))).toBeLessThan(1e-4);
    model.dispose();
  });

  it("weights that Python's bitsandbytes stored are taken as they are, and equal ours", async () => {
    const [python, base] = await Promise.all(
      ['base-nf4', 'base'].map((name) => folderFiles(goldenPath(`training/${name}`))),
    );
    const { numLabels } = goldenJson<{ numLabels: number }>('training/runs.json');
    const { model: theirs, report } = await loadGpt2ForSequenceClassification(python!, { numLabels });
    expect(report).toMatchObject({ newlyInitialized: [], unexpected: [] });
    const { model: ours } = await loadGpt2ForSequenceClassification(base!, { numLabels });
    for (const name of ['transformer.h.0.attn.c_attn', 'transformer.h.1.mlp.c_proj']) {
      const [a, b] = [theirs, ours].map((model) => (model.module(name) as Linear4bit).denseWeight().dataSync());
      expect(largestDifference(a!, b!), name).toBe(0);
    }
    theirs.dispose();
    ours.dispose();
  });
});

describe('loading', () => {
  it('quantises the blocks to NF4 by default and counts every weight they stand for', async () => {
    const { model } = await loadGpt2(tinyFiles());
    const { model: dense } = await loadGpt2(tinyFiles(), { quantization: null });
    expect(model.module('h.1.mlp.c_fc')).toBeInstanceOf(Linear4bit);
    expect(dense.module('h.1.mlp.c_fc')).toBeInstanceOf(Linear);
    expect(countParameters(model)).toEqual(countParameters(dense));
    expect(countParameters(dense).all).toBe(40 * 8 + 24 * 8 + 2 * (12 * 64 + 13 * 8) + 16);
    model.dispose();
    dense.dispose();
  });

  it('reads an embedding in 4 bits', async () => {
    const tensors = tinyTensors();
    const name = 'transformer.wte.weight';
    const values = new Float32Array(tensors.get(name)!.bytes.slice().buffer);
    tensors.delete(name);
    for (const tensor of quantStateToTensors(name, quantizeArray(values, [40, 8])) as StoredTensor[]) {
      tensors.set(tensor.name, tensor);
    }
    const { model } = await loadGpt2(tinyFiles(TINY, tensors), { quantization: null });
    const difference = largestDifference(await model.wte.value.data(), values);
    expect(difference).toBeGreaterThan(0);
    expect(difference).toBeLessThan(0.75 * 0.16);
    model.dispose();
  });

  it('keeps the token embedding in float16 where asked to: half the bytes, each value rounded once', async () => {
    const options = { quantization: null, numLabels: 3 } as const;
    const full = await loadGpt2ForSequenceClassification(tinyFiles(), options);
    const half = await loadGpt2ForSequenceClassification(tinyFiles(), { ...options, embeddingDtype: 'float16' });
    const { wte } = half.model.transformer;
    expect([wte.value.size, wte.shape, wte.logicalSize]).toEqual([40 * 4, [40, 8], 320]);
    const batch = packSequences([[1, 7, 39, 4]], half.model.config);
    const states = [full, half].map(({ model }) =>
      tidy(() => model.transformer.hiddenStates(batch, INFERENCE)[0]!.dataSync().slice()),
    );
    const difference = largestDifference(states[0]!, states[1]!);
    // Values below 1 in 11 bits.
    expect(difference).toBeGreaterThan(0);
    expect(difference).toBeLessThan(2 ** -11);
    expect(() => wte.setRequiresGrad(true)).toThrow(/float16 table is frozen/);
    await expect(loadGpt2LMHeadModel(tinyFiles(), { embeddingDtype: 'float16' })).rejects.toThrow(
      /head is its embedding/,
    );
    batch.dispose();
    full.model.dispose();
    half.model.dispose();
  });

  it.each(['F16', 'BF16'] as const)('decodes weights stored in %s once, whatever was read before', async (dtype) => {
    // Values that both formats hold, so that the file in float32 says the same.
    const exact = (values: Float32Array): Float32Array => values.map((value) => Math.round(value * 64) / 64);
    const tensors = tinyTensors();
    const [full, short] = [new Map(tensors), new Map(tensors)];
    for (const [name, { shape, bytes }] of tensors) {
      const values = exact(new Float32Array(bytes.slice().buffer));
      const halves = dtype === 'F16' ? float32ToFloat16(values) : float32ToBfloat16(values);
      full.set(name, { name, dtype: 'F32', shape, bytes: new Uint8Array(values.buffer) });
      short.set(name, { name, dtype, shape, bytes: new Uint8Array(halves.buffer) });
    }
    const options = { numLabels: 3, quantization: { doubleQuant: false } } as const;
    const models = await Promise.all(
      [full, short].map((stored) => loadGpt2ForSequenceClassification(tinyFiles(TINY, stored), options)),
    );
    const [a, b] = models.map(({ model }) =>
      [...model.namedModules()].flatMap(([, layer]) =>
        layer instanceof Linear4bit ? [tidy(() => layer.denseWeight().dataSync().slice())] : [],
      ),
    );
    expect(a).toHaveLength(8);
    expect(b).toEqual(a);
    const [wteA, wteB] = models.map(({ model }) => model.transformer.wte.value.dataSync());
    expect(wteB).toEqual(wteA);
    for (const { model } of models) model.dispose();
  });

  it.each(['F32', 'F16'] as const)('names the stored place of a value that is none, in %s', async (dtype) => {
    const name = 'transformer.h.0.mlp.c_fc.weight';
    const tensors = tinyTensors();
    const { shape, bytes } = tensors.get(name)!;
    const values = new Float32Array(bytes.slice().buffer);
    values[45] = -Infinity;
    const stored = dtype === 'F32' ? values : float32ToFloat16(values);
    tensors.set(name, { name, dtype, shape, bytes: new Uint8Array(stored.buffer as ArrayBuffer) });
    await expect(loadGpt2(tinyFiles(TINY, tensors))).rejects.toThrow(/c_fc\.weight' holds -Infinity at element 45/);
  });

  it('takes a float16 embedding that is stored in float16 as its bits', async () => {
    const name = 'transformer.wte.weight';
    const halved = (change: (halves: Uint16Array) => void = () => undefined) => {
      const tensors = tinyTensors();
      const halves = float32ToFloat16(new Float32Array(tensors.get(name)!.bytes.slice().buffer));
      change(halves);
      tensors.set(name, { name, dtype: 'F16', shape: [40, 8], bytes: new Uint8Array(halves.buffer) });
      return tinyFiles(TINY, tensors);
    };
    const options = { quantization: null, numLabels: 3, embeddingDtype: 'float16' } as const;
    const stored = await loadGpt2ForSequenceClassification(halved(), options);
    const rounded = await loadGpt2ForSequenceClassification(tinyFiles(), options);
    const [a, b] = [stored, rounded].map(({ model }) => model.transformer.wte.value.dataSync());
    expect(a).toEqual(b);
    stored.model.dispose();
    rounded.model.dispose();
    const broken = loadGpt2ForSequenceClassification(
      halved((halves) => (halves[9] = 0xfc00)),
      options,
    );
    await expect(broken).rejects.toThrow(/'transformer\.wte\.weight' holds Infinity at element 9/);
  });

  it('starts a head that is missing from config.initializer_range, and says so', async () => {
    const files = tinyFiles({ ...TINY, initializer_range: 0.5 });
    const head = async (seed: number) => {
      const { model, report } = await loadGpt2ForSequenceClassification(files, { numLabels: 500, seed });
      expect(report.newlyInitialized).toEqual(['score.weight']);
      const values = (model.module('score') as Linear).weight.value.dataSync<'float32'>().slice();
      model.dispose();
      return values;
    };
    const values = await head(3);
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
    expect(Math.abs(deviation - 0.5)).toBeLessThan(0.03);
    expect(await head(3)).toEqual(values);
    expect(await head(4)).not.toEqual(values);
  });

  it('takes a head of the right size, starts another anew, and reports tensors without a place', async () => {
    const tensors = tinyTensors();
    tensors.set('score.weight', floatTensor('score.weight', [3, 8], new Float32Array(24).fill(0.5)));
    tensors.set('value_head.weight', floatTensor('value_head.weight', [1], new Float32Array(1)));
    const files = tinyFiles(TINY, tensors);
    const fitting = await loadGpt2ForSequenceClassification(files, { numLabels: 3 });
    expect((fitting.model.module('score') as Linear).weight.value.dataSync()[7]).toBe(0.5);
    expect(fitting.report).toEqual({
      newlyInitialized: [],
      unexpected: ['value_head.weight'],
      unusedHeads: [],
      masks: [],
    });
    const other = await loadGpt2ForSequenceClassification(files, { numLabels: 4 });
    expect(other.report.newlyInitialized).toEqual(['score.weight']);
    fitting.model.dispose();
    other.model.dispose();
  });

  it('lists the masks and heads that it does not read, each kind in a line', async () => {
    const tensors = tinyTensors();
    for (const layer of [0, 1]) {
      for (const name of ['bias', 'masked_bias']) {
        const mask = `transformer.h.${layer}.attn.${name}`;
        tensors.set(mask, floatTensor(mask, [1], new Float32Array(1)));
      }
    }
    tensors.set('lm_head.decoder.weight', floatTensor('lm_head.decoder.weight', [40, 8], new Float32Array(320)));
    const { model, report } = await loadGpt2ForSequenceClassification(tinyFiles(TINY, tensors), { numLabels: 3 });
    expect(report.unusedHeads).toEqual(['lm_head.decoder.weight']);
    expect(report.masks).toHaveLength(4);
    expect(loadReportLines(report)).toEqual([
      'newly initialised, to be trained: score.weight',
      'heads not read: lm_head.decoder.weight',
      'causal masks not read: transformer.h.0.attn.bias, transformer.h.0.attn.masked_bias, transformer.h.1.attn.bias and 1 more',
    ]);
    model.dispose();
    const untied = await loadGpt2LMHeadModel(tinyFiles({ ...TINY, tie_word_embeddings: false }, tensors));
    expect(untied.report.unusedHeads).toEqual([]);
    untied.model.dispose();
  });

  it('reports each weight once', async () => {
    const seen: string[] = [];
    const counts: number[] = [];
    const { model } = await loadGpt2(tinyFiles(), {
      onWeight: (done, total, name) => {
        seen.push(name);
        counts.push(done / total);
      },
    });
    expect(new Set(seen).size).toBe(28);
    expect(seen).toHaveLength(28);
    expect(counts.at(-1)).toBe(1);
    model.dispose();
  });

  it('gives all memory back', async () => {
    const before = memory().numTensors;
    const { model } = await loadGpt2LMHeadModel(tinyFiles({ ...TINY, tie_word_embeddings: false }));
    expect(memory().numTensors).toBeGreaterThan(before);
    model.dispose();
    expect(memory().numTensors).toBe(before);
  });
});

describe('a checkpoint that does not fit', () => {
  const broken = (change: (tensors: Map<string, StoredTensor>) => void, config: object = {}): ModelFiles => {
    const tensors = tinyTensors();
    change(tensors);
    const files = tinyFiles(TINY, tensors);
    return { ...files, json: async () => ({ ...TINY, ...config }) };
  };
  const put =
    (name: string, shape: number[], value = 0) =>
    (tensors: Map<string, StoredTensor>) =>
      tensors.set(name, floatTensor(name, shape, new Float32Array(shape.reduce((a, b) => a * b)).fill(value)));
  const lack = (name: string) => (tensors: Map<string, StoredTensor>) => tensors.delete(name);
  const in4Bits = (name: string, shape: number[]) => (tensors: Map<string, StoredTensor>) => {
    tensors.delete(name);
    const values = new Float32Array(shape.reduce((a, b) => a * b)).fill(1);
    for (const tensor of quantStateToTensors(name, quantizeArray(values, shape)) as StoredTensor[]) {
      tensors.set(tensor.name, tensor);
    }
  };
  const CATTN = 'transformer.h.1.attn.c_attn.weight';

  it.each<[string, ModelFiles, RegExp]>([
    [
      'a missing weight',
      broken(lack('transformer.h.1.mlp.c_fc.bias')),
      /tiny lacks 'transformer\.h\.1\.mlp\.c_fc\.bias'/,
    ],
    ['a missing block', broken(() => undefined, { n_layer: 3 }), /lacks 'transformer\.h\.2\.ln_1\.weight'/],
    [
      'a weight of another shape',
      broken(put(CATTN, [24, 8])),
      /c_attn\.weight' has shape \[24, 8\].*asks for \[8, 24\]/,
    ],
    [
      'an embedding of another vocabulary',
      broken(() => undefined, { vocab_size: 41 }),
      /wte\.weight' has shape \[40, 8\].*\[41, 8\]/,
    ],
    ['NaN in a weight', broken(put(CATTN, [8, 24], NaN)), /c_attn\.weight' holds NaN at element 0/],
    ['infinity in a norm', broken(put('transformer.ln_f.bias', [8], Infinity)), /ln_f\.bias' holds Infinity/],
    [
      'a 4-bit weight of another shape',
      broken(in4Bits(CATTN, [8, 24])),
      /tiny: .*stands for shape \[8, 24\], but \[24, 8\]/,
    ],
    [
      'a 4-bit weight without its state',
      broken((tensors) => {
        in4Bits(CATTN, [24, 8])(tensors);
        tensors.delete(`${CATTN}.quant_state.bitsandbytes__nf4`);
      }),
      /tiny: .*c_attn/,
    ],
    [
      'a layer that the config does not count',
      broken(() => undefined, { n_layer: 1 }),
      /tiny holds 12 tensors of a GPT-2 that config.json, with n_layer 1, has no place for: transformer\.h\.1\./,
    ],
    [
      'a part of a block that is unknown',
      broken(put('transformer.h.0.crossattention.q_attn.weight', [8, 8])),
      /holds 1 tensors .* has no place for: transformer\.h\.0\.crossattention/,
    ],
    [
      'one weight with the prefix and without',
      broken(put('h.0.ln_1.weight', [8])),
      /holds one weight twice, as 'h\.0\.ln_1\.weight' and 'transformer\.h\.0\.ln_1\.weight'/,
    ],
    [
      'two heads of a language model',
      broken((tensors) => {
        put('lm_head.weight', [40, 8])(tensors);
        put('lm_head.decoder.weight', [40, 8])(tensors);
      }),
      /twice, as 'lm_head\.decoder\.weight' and 'lm_head\.weight'/,
    ],
    [
      'a head of another vocabulary',
      broken(put('lm_head.weight', [41, 8]), { tie_word_embeddings: false }),
      /lm_head\.weight' has shape \[41, 8\]/,
    ],
  ])('%s is an error that names it, and leaves no tensors', async (_, files, message) => {
    const before = memory().numTensors;
    const error = (await loadGpt2LMHeadModel(files).catch((thrown: unknown) => thrown)) as Error;
    expect(error).toMatchObject({ name: 'Gpt2Error', code: 'BAD_CHECKPOINT' });
    expect(error.message).toMatch(message);
    expect(memory().numTensors).toBe(before);
  });

  it('a truncated file is known before any weight is read', async () => {
    const whole = serializeSafetensors(tinyTensors().values());
    const files = memoryFiles('cut', {
      'config.json': JSON.stringify(TINY),
      'model.safetensors': whole.subarray(0, whole.length - 100),
    });
    const read: string[] = [];
    await expect(loadGpt2(files, { onWeight: (_, __, name) => read.push(name) })).rejects.toThrow(
      /need 11552 bytes, but the file has 11452/,
    );
    expect(read).toEqual([]);
  });

  it('no config.json, and too few labels', async () => {
    await expect(loadGpt2(memoryFiles('empty', {}))).rejects.toMatchObject({ code: 'BAD_CONFIG' });
    await expect(loadGpt2ForSequenceClassification(tinyFiles(), { numLabels: 0 })).rejects.toThrow(
      /numLabels is 0, but a head needs at least 2 labels, or 1/,
    );
  });
});

it('transposed turns rows into columns, across tiles', () => {
  const [rows, columns] = [37, 70];
  const values = Float32Array.from({ length: rows * columns }, (_, i) => i);
  const result = transposed(values, rows, columns);
  for (const [row, column] of [
    [0, 0],
    [36, 69],
    [31, 32],
    [32, 31],
    [5, 64],
  ] as const) {
    expect(result[column * rows + row]).toBe(row * columns + column);
  }
});
