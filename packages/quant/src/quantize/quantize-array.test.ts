import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import type { QuantType } from '@qlora-js/kernels';
import { goldenPath } from '../../../../tools/test/golden';
import { GoldenTensors } from '../../../../tools/test/safetensors';
import { dequantizeArray } from './dequantize-array';
import { quantizeArray } from './quantize-array';
import { QuantError } from '../errors';

describe('quantizeArray on the golden values', () => {
  const golden = new GoldenTensors(goldenPath('quant.safetensors'));
  const cases = golden.names.filter((name) => name.endsWith('.packed')).map((name) => name.slice(0, -'.packed'.length));

  it('has every byte of bitsandbytes’ codes, absmax, nested absmax and offset', () => {
    expect(cases).toHaveLength(56);
    for (const key of cases) {
      const [input = '', quantType, blocksize, nesting] = key.split('.');
      const { shape } = golden.get(`${input}.input`);
      const { packed, absmax, offset, state2, code } = quantizeArray(golden.floats(`${input}.input`), shape, {
        quantType: quantType as QuantType,
        blocksize: Number(blocksize),
        doubleQuant: nesting === 'dq',
        name: key,
      });
      expect([key, packed]).toEqual([key, golden.bytes(`${key}.packed`)]);
      expect([key, code]).toEqual([key, golden.floats(`${key}.code`)]);
      if (nesting === 'sq') {
        expect([key, absmax, offset, state2]).toEqual([key, golden.floats(`${key}.absmax`), undefined, undefined]);
        continue;
      }
      expect([key, absmax]).toEqual([key, golden.bytes(`${key}.absmax`)]);
      expect([key, state2?.absmax, state2?.code, offset]).toEqual([
        key,
        golden.floats(`${key}.nested_absmax`),
        golden.floats(`${key}.nested_code`),
        golden.floats(`${key}.offset`)[0],
      ]);
    }
  });

  it('dequantises to bitsandbytes’ values within 1 ulp', () => {
    for (const key of cases) {
      const [input = '', quantType, blocksize, nesting] = key.split('.');
      const { shape } = golden.get(`${input}.input`);
      const options = {
        quantType: quantType as QuantType,
        blocksize: Number(blocksize),
        doubleQuant: nesting === 'dq',
      };
      const values = dequantizeArray(quantizeArray(golden.floats(`${input}.input`), shape, options));
      golden.floats(`${key}.dequant`).forEach((expected, i) => {
        if (Math.abs(values[i]! - expected) > 2 ** -23 * Math.abs(expected)) {
          expect.fail(`${key}: element ${i} is ${values[i]}, expected ${expected}`);
        }
      });
    }
  });
});

describe('quantizeArray', () => {
  const options = fc.record({
    quantType: fc.constantFrom<QuantType>('nf4', 'fp4', 'int4'),
    blocksize: fc.constantFrom(32, 64, 128, 256, 512, 1024, 2048, 4096),
  });
  const values = fc
    .array(fc.float({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }), { minLength: 1, maxLength: 300 })
    .map((list) => Float32Array.from(list));

  it('is stable: what 4 bits stand for quantises to the same codes and values', () => {
    fc.assert(
      fc.property(values, options, (x, format) => {
        const once = dequantizeArray(quantizeArray(x, [x.length], { ...format, doubleQuant: false }));
        const twice = dequantizeArray(quantizeArray(once, [x.length], { ...format, doubleQuant: false }));
        once.forEach((value, i) => expect(Math.abs(twice[i]! - value)).toBeLessThanOrEqual(2 ** -22 * Math.abs(value)));
      }),
      { numRuns: 200 },
    );
  });

  it('never moves a value past the nearest level by more than half the widest gap', () => {
    const halfGap = { nf4: 0.152, fp4: 1 / 6 + 1e-6, int4: 1 / 14 + 1e-6 };
    fc.assert(
      fc.property(values, options, (x, format) => {
        const back = dequantizeArray(quantizeArray(x, [x.length], { ...format, doubleQuant: false }));
        x.forEach((value, i) => {
          const start = Math.floor(i / format.blocksize) * format.blocksize;
          const absmax = x.subarray(start, start + format.blocksize).reduce((max, v) => Math.max(max, Math.abs(v)), 0);
          // Below 1e-38 the reciprocal is clamped.
          const allowed = halfGap[format.quantType] * absmax * 1.000001 + 1e-38;
          expect(Math.abs(back[i]! - value)).toBeLessThanOrEqual(allowed);
        });
      }),
      { numRuns: 200 },
    );
  });

  it('has NF4’s error on a normal distribution, with double quantisation hardly more', () => {
    let state = 1;
    const uniform = () => (state = (state * 48271) % 2147483647) / 2147483647;
    const x = Float32Array.from(
      { length: 200_000 },
      () => 0.02 * Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
    );
    const error = (doubleQuant: boolean): number => {
      const back = dequantizeArray(quantizeArray(x, [x.length], { doubleQuant }));
      const squares = x.reduce((sum, value, i) => sum + (value - back[i]!) ** 2, 0);
      return Math.sqrt(squares / x.reduce((sum, value) => sum + value ** 2, 0));
    };
    // 0.09197 and 0.09200 in the Python stack on a million values.
    expect(error(false)).toBeCloseTo(0.092, 3);
    expect(error(true)).toBeCloseTo(0.092, 3);
  });

  it('gives all-zero blocks the code of zero', () => {
    const { packed } = quantizeArray(new Float32Array(64), [64], { doubleQuant: false });
    expect([...packed]).toEqual(new Array(32).fill(0x77));
    expect([...quantizeArray(new Float32Array(64), [64], { quantType: 'int4' }).packed]).toEqual(
      new Array(32).fill(0x77),
    );
    expect([...quantizeArray(new Float32Array(64), [64], { quantType: 'fp4' }).packed]).toEqual(new Array(32).fill(0));
  });

  it.each([NaN, Infinity, -Infinity])('refuses %d and names the tensor and the element', (bad) => {
    const x = new Float32Array(130);
    x[129] = bad;
    const quantize = () => quantizeArray(x, [130], { name: 'transformer.h.3.attn.c_attn.weight' });
    expect(quantize).toThrow(QuantError);
    expect(quantize).toThrow(`transformer.h.3.attn.c_attn.weight: element 129 of 130 is ${bad}`);
    expect(quantize).toThrow(expect.objectContaining({ code: 'NON_FINITE' }));
  });

  it('says what overflows where all values are finite and their maxima have no float32 mean', () => {
    const x = new Float32Array(256).fill(1e38);
    const quantize = (doubleQuant: boolean) => quantizeArray(x, [256], { doubleQuant, dtype: 'bfloat16', name: 'w' });
    expect(() => quantize(true)).toThrow(
      /w: double quantisation takes the mean of 4 block maxima, the largest 9.99\d+e\+37, and their sum is beyond float32/,
    );
    expect(() => quantize(true)).toThrow(expect.objectContaining({ code: 'NON_FINITE', value: Math.fround(1e38) }));
    expect(dequantizeArray(quantize(false))).toEqual(x);
  });

  it.each([
    [{ blocksize: 48 }, /w: blocksize is 48, but one of 32, 64/],
    [{ quantType: 'nf3' as QuantType }, /w: quantType is "nf3", but one of nf4, fp4, int4/],
    [{ dtype: 'float64' as 'float32' }, /w: dtype is "float64"/],
  ])('refuses the options %j', (format, message) => {
    expect(() => quantizeArray(new Float32Array(8), [8], { ...format, name: 'w' })).toThrow(message);
  });

  it('refuses a shape that does not fit', () => {
    expect(() => quantizeArray(new Float32Array(8), [3, 3], { name: 'w' })).toThrow(
      /w: shape \[3, 3\] does not fit 8 values/,
    );
    expect(() => quantizeArray(new Float32Array(0), [0], { name: 'w' })).toThrow(/does not fit 0 values/);
  });
});
