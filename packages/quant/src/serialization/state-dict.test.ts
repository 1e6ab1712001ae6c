import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { goldenPath } from '../../../../tools/test/golden';
import { dequantizeTensors } from './dequantize-tensors';
import { quantStateFromTensors, quantStateToTensors } from './state-dict';
import { dequantizeArray } from '../quantize/dequantize-array';
import { quantizeArray } from '../quantize/quantize-array';
import { GoldenTensors } from '../../../../tools/test/safetensors';
import type { QuantizeOptions, StoredTensorLike } from '../types';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** GPT-2's Conv1D stores [in, out]. */
function transposed(values: Float32Array, [rows = 0, columns = 0]: readonly number[]): Float32Array {
  return values.map((_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!);
}

describe('a base in 4 bits', () => {
  const golden = new GoldenTensors(goldenPath('training/base-nf4/model.safetensors'));
  const base = new GoldenTensors(goldenPath('training/base/model.safetensors'));
  const weights = golden.names
    .filter((name) => name.endsWith('.absmax'))
    .map((name) => name.slice(0, -'.absmax'.length));

  it('quantises to the bytes that transformers and bitsandbytes saved, tensor by tensor', () => {
    const matrices = base.names.filter((name) => /\.c_\w+\.weight$/.test(name));
    expect([...weights].sort()).toEqual(matrices.sort());
    for (const name of weights) {
      const { shape } = base.get(name);
      const values = transposed(base.halfs(name), shape);
      const written = quantStateToTensors(name, quantizeArray(values, [...shape].reverse(), { name }));
      const stored = golden.names.filter((key) => key === name || key.startsWith(`${name}.`));
      expect(written.map((tensor) => tensor.name).sort()).toEqual(stored.sort());
      for (const tensor of written) {
        const { dtype, shape: storedShape, bytes } = golden.get(tensor.name);
        expect([tensor.name, tensor.dtype, tensor.shape, sha256(tensor.bytes)]).toEqual([
          tensor.name,
          dtype,
          storedShape,
          sha256(bytes),
        ]);
      }
    }
  });

  it('loads what bitsandbytes saved: the values lie within NF4’s error of the base', () => {
    for (const name of weights) {
      const { shape } = base.get(name);
      const values = transposed(base.halfs(name), shape);
      const tensors = golden.names.map((key) => golden.get(key));
      const loaded = dequantizeTensors(name, tensors, [...shape].reverse());
      const squares = loaded.reduce((sum, value, i) => sum + (value - values[i]!) ** 2, 0);
      const relative = Math.sqrt(squares / values.reduce((sum, value) => sum + value ** 2, 0));
      expect(relative).toBeGreaterThan(0.05);
      expect(relative).toBeLessThan(0.12);
    }
  });
});

const arbitraryWeight = fc.record({
  shape: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 4 }),
  quantType: fc.constantFrom(...(['nf4', 'fp4', 'int4'] as const)),
  blocksize: fc.constantFrom(32, 64, 128, 4096),
  doubleQuant: fc.boolean(),
  dtype: fc.constantFrom(...(['float32', 'float16', 'bfloat16'] as const)),
  seed: fc.integer({ min: 1, max: 1000 }),
});

function makeWeight({ shape, seed, ...options }: QuantizeOptions & { shape: number[]; seed: number }) {
  const size = shape.reduce((product, extent) => product * extent, 1);
  const values = Float32Array.from({ length: size }, (_, i) => Math.sin(seed * 12.9898 + i * 78.233) * 0.1);
  return quantizeArray(values, shape, options);
}

describe('quantStateToTensors', () => {
  it('is undone by quantStateFromTensors, whatever the shape and options', () => {
    fc.assert(
      fc.property(arbitraryWeight, (weight) => {
        const quantized = makeWeight(weight);
        const tensors = quantStateToTensors('h.0.weight', quantized);
        expect(quantStateFromTensors('h.0.weight', tensors)).toEqual(quantized);
      }),
      { numRuns: 100 },
    );
  });

  it('names the parts as bitsandbytes does, with Python’s JSON', () => {
    const quantized = makeWeight({ shape: [2, 40], seed: 1, dtype: 'float16', doubleQuant: false });
    const tensors = quantStateToTensors('w', quantized);
    expect(tensors.map(({ name, dtype, shape }) => [name, dtype, shape])).toEqual([
      ['w', 'U8', [40, 1]],
      ['w.absmax', 'F32', [2]],
      ['w.quant_map', 'F32', [16]],
      ['w.quant_state.bitsandbytes__nf4', 'U8', [76]],
    ]);
    expect(new TextDecoder().decode(tensors[3]!.bytes)).toBe(
      '{"quant_type": "nf4", "blocksize": 64, "dtype": "float16", "shape": [2, 40]}',
    );
  });
});

describe('quantStateFromTensors', () => {
  const quantized = makeWeight({ shape: [6, 70], seed: 3 });
  const good = quantStateToTensors('w', quantized);
  const without = (suffix: string) => good.filter(({ name }) => name !== `w${suffix}`);
  const withJson = (change: (state: Record<string, unknown>) => void): StoredTensorLike[] =>
    good.map((tensor) => {
      if (!tensor.name.includes('quant_state')) return tensor;
      const state = JSON.parse(new TextDecoder().decode(tensor.bytes)) as Record<string, unknown>;
      change(state);
      return { ...tensor, bytes: new TextEncoder().encode(JSON.stringify(state)) };
    });
  const withBytes = (suffix: string, bytes: Uint8Array, dtype?: string): StoredTensorLike[] =>
    good.map((tensor) => (tensor.name === `w${suffix}` ? { ...tensor, bytes, dtype: dtype ?? tensor.dtype } : tensor));
  const state = '.quant_state.bitsandbytes__nf4';

  const damages: [string, StoredTensorLike[], RegExp][] = [
    ['no state', without(state), /0 tensors named 'w\.quant_state\.bitsandbytes__/],
    ['two states', [...good, { ...good.at(-1)!, name: 'w.quant_state.bitsandbytes__fp4' }], /2 tensors named/],
    ['no absmax', without('.absmax'), /lacks the tensor 'w\.absmax'/],
    ['no codes', without(''), /lacks the tensor 'w'/],
    ['short codes', withBytes('', new Uint8Array(9)), /9 bytes in 'w', but its quant state asks for 210 bytes/],
    ['short nested absmax', withBytes('.nested_absmax', new Uint8Array(0)), /asks for 1 values of F32/],
    ['halves for a table', withBytes('.quant_map', new Uint8Array(64), 'F16'), /64 bytes of F16/],
    [
      'NaN',
      withBytes('.nested_absmax', new Uint8Array([0, 0, 192, 127])),
      /holds NaN at element 0 of 'w\.nested_absmax'/,
    ],
    ['no JSON', withBytes(state, new TextEncoder().encode('{')), /no JSON/],
    ['no UTF-8', withBytes(state, new Uint8Array([0xff, 0xfe])), /no JSON/],
    ['a list', withBytes(state, new TextEncoder().encode('[]')), /no JSON object/],
    ['a long state', withBytes(state, new Uint8Array(70_000)), /70000 bytes/],
    ['another type', withJson((json) => (json['quant_type'] = 'fp4')), /quant_type "fp4" in a quant state named 'nf4'/],
    ['an unknown type', withJson((json) => (json['quant_type'] = 'constructor')), /quant_type "constructor"/],
    ['a block size of 63', withJson((json) => (json['blocksize'] = 63)), /blocksize 63/],
    ['a huge shape', withJson((json) => (json['shape'] = [2 ** 30, 2 ** 30])), /shape \[/],
    ['a negative size', withJson((json) => (json['shape'] = [-1, 4])), /shape \[-1,4\]/],
    ['no shape', withJson((json) => delete json['shape']), /shape undefined/],
    ['nested blocks of 0', withJson((json) => (json['nested_blocksize'] = 0)), /nested_blocksize 0/],
    ['an offset beyond float32', withJson((json) => (json['nested_offset'] = 1e300)), /nested_offset 1e\+300/],
  ];
  it.each(damages)('refuses %s', (_, tensors, message) => {
    expect(() => quantStateFromTensors('w', tensors)).toThrow(message);
    expect(() => quantStateFromTensors('w', tensors)).toThrow(expect.objectContaining({ code: 'BAD_STATE' }));
  });

  it('takes any bytes whatever for a weight or refuses them as damaged', () => {
    const mutation = fc.record({
      part: fc.nat(good.length - 1),
      at: fc.nat(300),
      byte: fc.nat(255),
      cut: fc.option(fc.nat(300)),
    });
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), (mutations) => {
        const tensors = good.map((tensor) => ({ ...tensor, bytes: tensor.bytes.slice() }));
        for (const { part, at, byte, cut } of mutations) {
          const tensor = tensors[part]!;
          if (at < tensor.bytes.length) tensor.bytes[at] = byte;
          if (cut !== null) tensor.bytes = tensor.bytes.subarray(0, cut);
        }
        try {
          const { shape, packed } = quantStateFromTensors('w', tensors);
          expect(packed.length).toBe(Math.ceil(shape.reduce((product, extent) => product * extent, 1) / 2));
        } catch (error) {
          expect(error).toMatchObject({ name: 'QuantError', code: 'BAD_STATE' });
        }
      }),
      { numRuns: 500 },
    );
  });

  it('takes codes that were stored as another dtype, and unaligned views', () => {
    const shifted = good.map((tensor) => {
      const bytes = new Uint8Array(tensor.bytes.length + 1);
      bytes.set(tensor.bytes, 1);
      return { ...tensor, dtype: tensor.name === 'w' ? 'BF16' : tensor.dtype, bytes: bytes.subarray(1) };
    });
    expect(quantStateFromTensors('w', shifted)).toEqual(quantized);
  });

  it('refuses a weight of another shape than the model’s', () => {
    expect(() => dequantizeTensors('w', good, [70, 6])).toThrow(/stands for shape \[6, 70\], but \[70, 6\]/);
    expect(dequantizeTensors('w', good, [6, 70])).toEqual(dequantizeArray(quantized));
  });
});
