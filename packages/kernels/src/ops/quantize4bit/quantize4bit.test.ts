import { tensor, tensor1d } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { goldenPath } from '../../../../../tools/test/golden';
import { GoldenTensors } from '../../../../../tools/test/safetensors';
import { KernelError } from '../../errors';
import { describeBackends, expectClose, forAll, normals, runPoisoned } from '../../testing';
import { QUANT_TYPES, quantTypeBounds, type QuantType } from '../../formats/codes';
import { int32ToBytes } from '../blockwise8bit';
import { quantize4bitReference } from './reference';
import { BLOCKSIZES, quantize4bit, quantize4bitArray, type Packed4bit } from '.';

async function read(
  { packed, absmax }: Packed4bit,
  size: number,
): Promise<{ packed: Uint8Array; absmax: Float32Array }> {
  const elements = await packed.data<'int32'>();
  const bytes = new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength);
  // What fills the last element is zero.
  expect([...bytes.subarray(Math.ceil(size / 2))].every((byte) => byte === 0)).toBe(true);
  return { packed: int32ToBytes(elements, Math.ceil(size / 2)), absmax: await absmax.data<'float32'>() };
}

const formats = fc.record({
  size: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.constantFrom(4095, 4096, 4097, 8193)),
  quantType: fc.constantFrom(...QUANT_TYPES),
  blocksize: fc.constantFrom(...BLOCKSIZES),
  std: fc.constantFrom(1e-6, 0.02, 3, 1e20),
});

describeBackends('quantize4bit', (backend) => {
  it('has the reference’s codes and absmax, byte by byte, whatever the size and format', async () => {
    await forAll(
      formats,
      async ({ size, quantType, blocksize, std }) => {
        const values = normals(size, size, std);
        const x = tensor1d(values);
        await runPoisoned(backend, () => {
          const { packed, absmax } = quantize4bit(x, { quantType, blocksize });
          return [packed, absmax];
        });
        const quantized = quantize4bit(x, { quantType, blocksize });
        const found = await read(quantized, size);
        const expected = quantize4bitReference(values, quantType, blocksize);
        await expectClose('quantize4bit', backend, found.packed, expected.packed, { absolute: 0 });
        await expectClose('quantize4bit absmax', backend, found.absmax, expected.absmax, { absolute: 0 });
        for (const held of [x, quantized.packed, quantized.absmax]) held.dispose();
      },
      24,
    );
  });

  it('decides strictly above each bound: the bound itself takes the lower level', async () => {
    for (const quantType of QUANT_TYPES) {
      const { bounds } = quantTypeBounds(quantType);
      // Absmax 1, so that scaled values are the values: each bound, and its neighbours in float32.
      const around = [...bounds].flatMap((bound) => [bound, nextFloat(bound, 1), nextFloat(bound, -1)]);
      const values = Float32Array.from([1, ...around.filter((value) => Math.abs(value) <= 1)]);
      const padded = new Float32Array(64);
      padded.set(values);
      const x = tensor1d(padded);
      const quantized = quantize4bit(x, { quantType });
      const { packed } = await read(quantized, 64);
      const { packed: expected } = quantize4bitReference(padded, quantType, 64);
      await expectClose('quantize4bit', backend, packed, expected, { absolute: 0 });
      for (const held of [x, quantized.packed, quantized.absmax]) held.dispose();
    }
  });

  it('keeps all-zero blocks and the zero that pads an odd end at the code of zero', async () => {
    for (const [quantType, byte] of [
      ['nf4', 0x77],
      ['fp4', 0],
      ['int4', 0x77],
    ] as const) {
      const x = tensor1d(new Float32Array(65));
      const quantized = quantize4bit(x, { quantType });
      const { packed, absmax } = await read(quantized, 65);
      expect([...packed]).toEqual(new Array(33).fill(byte));
      // A short block keeps the clamped absmax, as bitsandbytes does.
      expect([...absmax]).toEqual([0, Math.fround(1e-38)]);
      for (const held of [x, quantized.packed, quantized.absmax]) held.dispose();
    }
  });

  it.each([NaN, Infinity, -Infinity])('does not let %d pass', async (bad) => {
    const values = normals(1, 200);
    values[70] = bad;
    const x = tensor1d(values);
    if (backend.name === 'webgpu') {
      const { absmax, packed } = quantize4bit(x);
      expect([...(await absmax.data())].map(Number.isNaN)).toEqual([false, true, false, false]);
      for (const held of [absmax, packed]) held.dispose();
    } else {
      expect(() => quantize4bit(x)).toThrow(expect.objectContaining({ code: 'NON_FINITE' }));
      expect(() => quantize4bit(x)).toThrow(/element 70 of 200/);
    }
    x.dispose();
  });

  it('has bitsandbytes’ bytes on the golden values', async () => {
    const golden = new GoldenTensors(goldenPath('quant.safetensors'));
    for (const key of golden.names.filter((name) => name.endsWith('.sq.packed')).map((name) => name.slice(0, -7))) {
      const [input = '', quantType, blocksize] = key.split('.');
      const { shape } = golden.get(`${input}.input`);
      const x = tensor(golden.floats(`${input}.input`), [...shape]);
      const quantized = quantize4bit(x, { quantType: quantType as QuantType, blocksize: Number(blocksize) });
      const found = await read(quantized, x.size);
      await expectClose('quantize4bit bitsandbytes', backend, found.packed, golden.bytes(`${key}.packed`), {
        absolute: 0,
      });
      await expectClose('quantize4bit bitsandbytes', backend, found.absmax, golden.floats(`${key}.absmax`), {
        absolute: 0,
      });
      for (const held of [x, quantized.packed, quantized.absmax]) held.dispose();
    }
  });
});

function nextFloat(value: number, direction: 1 | -1): number {
  const bits = new Int32Array(1);
  const float = new Float32Array(bits.buffer);
  float[0] = value;
  bits[0]! += value === 0 ? (direction === 1 ? 0x0080_0000 : -0x7f80_0000) : Math.sign(value) * direction;
  return float[0];
}

describe('quantize4bitArray', () => {
  it('is the reference, only faster', () => {
    const values = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 200 });
    const format = fc.record({ quantType: fc.constantFrom(...QUANT_TYPES), blocksize: fc.constantFrom(32, 64, 128) });
    fc.assert(
      fc.property(values, format, (list, { quantType, blocksize }) => {
        const x = Float32Array.from(list);
        const { packed, absmax } = quantize4bitReference(x, quantType, blocksize);
        expect(quantize4bitArray(x, { quantType, blocksize })).toEqual({ packed, absmax });
      }),
      { numRuns: 300 },
    );
  });
});

describe('quantize4bit', () => {
  it.each([
    [{ blocksize: 48 }, 'quantize4bit: blocksize is 48, but one of 32, 64, 128, 256, 512, 1024, 2048, 4096 is needed'],
    [{ quantType: 'nf5' as QuantType }, "quantize4bit: quantType is 'nf5', but one of nf4, fp4, int4 is needed"],
  ])('refuses %j', (options, message) => {
    const x = { dtype: 'float32' } as Parameters<typeof quantize4bit>[0];
    expect(() => quantize4bit(x, options)).toThrow(KernelError);
    expect(() => quantize4bit(x, options)).toThrow(message);
  });
});
