import { tensor, tensor1d } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { goldenPath } from '../../../../../tools/test/golden';
import { GoldenTensors } from '../../../../../tools/test/safetensors';
import { createDynamicMap } from '../../formats/dynamic-map';
import { describeBackends, expectClose, forAll, normals, runPoisoned } from '../../testing';
import { blockwiseBounds, GRID_STEPS, gridStep } from '../../formats/nearest';
import { dequantizeBlockwiseReference, quantizeBlockwiseReference } from './reference';
import { bytesToInt32, dequantizeBlockwise, int32ToBytes, quantizeBlockwise, type Blockwise8bit } from '.';

async function read({ quantized, absmax }: Blockwise8bit, size: number) {
  return { codes: int32ToBytes(await quantized.data<'int32'>(), size), absmax: await absmax.data<'float32'>() };
}

const cases = fc.record({
  size: fc.oneof(fc.integer({ min: 1, max: 600 }), fc.constantFrom(2048, 4097)),
  blocksize: fc.constantFrom(4, 60, 64, 256, 2048),
  signed: fc.boolean(),
  nearest: fc.constantFrom('exact' as const, 'grid' as const),
  std: fc.constantFrom(1e-8, 1, 1e12),
});

describeBackends('blockwise8bit', (backend) => {
  it('has the reference’s codes and absmax, byte by byte, and its values', async () => {
    await forAll(
      cases,
      async ({ size, blocksize, signed, nearest, std }) => {
        const values = normals(size, size, std).map((value) => (signed ? value : Math.abs(value)));
        values.fill(0, 0, Math.min(size, blocksize === 4 ? 4 : 0));
        const code = createDynamicMap({ signed });
        const x = tensor1d(values);
        const levels = tensor1d(code);
        await runPoisoned(backend, () => {
          const { quantized, absmax } = quantizeBlockwise(x, { code, blocksize, nearest });
          return [quantized, absmax];
        });
        const quantized = quantizeBlockwise(x, { code, blocksize, nearest });
        const found = await read(quantized, size);
        const expected = quantizeBlockwiseReference(values, code, blocksize, nearest);
        await expectClose('quantizeBlockwise', backend, found.codes, expected.codes, { absolute: 0 });
        await expectClose('quantizeBlockwise absmax', backend, found.absmax, expected.absmax, { absolute: 0 });
        const shape = [1, size];
        const [back] = await runPoisoned(backend, () => [
          dequantizeBlockwise({ ...quantized, code: levels, blocksize, shape }),
        ]);
        const exact = dequantizeBlockwiseReference(expected.codes, expected.absmax, code, blocksize);
        await expectClose('dequantizeBlockwise', backend, back!, exact, { relative: 2 ** -24 });
        for (const held of [x, levels, quantized.quantized, quantized.absmax]) held.dispose();
      },
      16,
    );
  });

  it('has bitsandbytes’ bytes on the golden values', async () => {
    const golden = new GoldenTensors(goldenPath('quant.safetensors'));
    for (const sign of ['signed', 'unsigned']) {
      const [input, code] = [golden.floats(`block8.${sign}.input`), golden.floats(`block8.${sign}.code`)];
      expect(createDynamicMap({ signed: sign === 'signed' })).toEqual(code);
      const x = tensor(input);
      const levels = tensor1d(code);
      const quantized = quantizeBlockwise(x, { code, nearest: 'grid' });
      const { codes, absmax } = await read(quantized, input.length);
      await expectClose('quantizeBlockwise bitsandbytes', backend, codes, golden.bytes(`block8.${sign}.q`), {
        absolute: 0,
      });
      await expectClose('quantizeBlockwise bitsandbytes', backend, absmax, golden.floats(`block8.${sign}.absmax`), {
        absolute: 0,
      });
      const back = dequantizeBlockwise({ ...quantized, code: levels, blocksize: 256, shape: [input.length] });
      await expectClose('dequantizeBlockwise bitsandbytes', backend, back, golden.floats(`block8.${sign}.dequant`), {
        absolute: 0,
      });
      for (const held of [x, levels, quantized.quantized, quantized.absmax, back]) held.dispose();
    }
  });

  it('does not let NaN pass', async () => {
    const x = tensor1d([1, NaN, 3, 4, 5]);
    const quantize = () => quantizeBlockwise(x, { code: createDynamicMap({ signed: true }), blocksize: 4 });
    if (backend.name === 'webgpu') {
      const { quantized, absmax } = quantize();
      expect([...(await absmax.data())]).toEqual([NaN, 5]);
      for (const held of [quantized, absmax]) held.dispose();
    } else {
      expect(quantize).toThrow(/element 1 of 5 is NaN/);
    }
    x.dispose();
  });

  it('refuses what does not fit together', () => {
    const [x, code] = [tensor1d([1, 2, 3]), createDynamicMap({ signed: true })];
    expect(() => quantizeBlockwise(x, { code, blocksize: 6 })).toThrow(/blocksize is 6, but a multiple of 4/);
    expect(() => quantizeBlockwise(x, { code: code.slice(1) })).toThrow(/code has 255 levels/);
    expect(() => quantizeBlockwise(x, { code: code.slice().reverse() })).toThrow(/ascending/);
    expect(() => quantizeBlockwise(tensor1d([1], 'int32'), { code })).toThrow(/dtype int32/);
    const levels = tensor1d(code);
    const [quantized, absmax] = [tensor1d([1, 2], 'int32'), tensor1d([1])];
    const call = (shape: number[], blocksize = 4) =>
      dequantizeBlockwise({ quantized, absmax, code: levels, blocksize, shape });
    expect(() => call([9])).toThrow(/9 bytes in an int32 tensor of 3 elements/);
    expect(() => call([8])).toThrow(/absmax has shape \[1\], but \[2\]/);
    for (const held of [x, levels, quantized, absmax]) held.dispose();
  });
});

describe('the grid', () => {
  const code = createDynamicMap({ signed: true });

  it('ends at its first and last step, and zero lies between two', () => {
    expect([-1, 0, 1].map(gridStep)).toEqual([0, 32_768, GRID_STEPS - 1]);
  });

  it('bounds the steps where the levels change: zero takes the level 2.1e-5, never 0', () => {
    const bounds = blockwiseBounds(code, 'grid');
    const codeOf = (scaled: number) => bounds.filter((bound) => bound < gridStep(scaled)).length;
    expect(codeOf(0)).toBe(131);
    expect(code[131]).toBeCloseTo(2.125e-5, 10);
    expect([codeOf(-1), codeOf(1)]).toEqual([0, 255]);
  });

  it('finds what `exact` finds where levels lie far apart', () => {
    const exact = blockwiseBounds(code, 'exact');
    const grid = blockwiseBounds(code, 'grid');
    for (const level of code.filter((value) => Math.abs(value) > 0.01)) {
      const find = (bounds: Float32Array, value: number) => bounds.filter((bound) => bound < value).length;
      expect(find(grid, gridStep(level))).toBe(find(exact, level));
    }
  });
});

describe('bytes in int32', () => {
  it('are little-endian, padded with zeros, and come back', () => {
    expect([...bytesToInt32(Uint8Array.of(1, 2, 3, 4, 255))]).toEqual([0x04030201, 255]);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(3), (bytes, shift) => {
        const view = new Uint8Array(bytes.length + shift).subarray(shift);
        view.set(bytes);
        expect(int32ToBytes(bytesToInt32(view), bytes.length)).toEqual(bytes);
      }),
    );
  });
});
