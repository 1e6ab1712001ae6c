import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createDynamicMap } from './dynamic-map';
import { codeTable, quantTypeBounds } from './codes';

const sha256 = (values: Float32Array) => createHash('sha256').update(new Uint8Array(values.buffer)).digest('hex');

describe('createDynamicMap', () => {
  it('has the bytes of bitsandbytes’ tables', () => {
    expect(sha256(createDynamicMap({ signed: true }))).toBe(
      'e732639a65f497b4ad684bb166a4467708255edd5207757de8b8f0c7e1fda89c',
    );
    expect(sha256(createDynamicMap({ signed: false }))).toBe(
      '305f002cc11278fb769d13b25b9fd0c7c83c8402c40a878fe086f4039fde6398',
    );
  });

  it('is ascending, with zero where the states start', () => {
    const signed = createDynamicMap({ signed: true });
    expect([signed.length, signed[127], signed[255]]).toEqual([256, 0, 1]);
    expect(signed.every((level, i) => i === 0 || level > signed[i - 1]!)).toBe(true);
    expect(createDynamicMap({ signed: false })[0]).toBe(0);
  });
});

describe('4-bit codes', () => {
  it('NF4 decides at the thresholds of the CUDA tree (csrc/kernels.cu dQuantizeNF4)', () => {
    expect(Array.from(quantTypeBounds('nf4').bounds)).toEqual(
      [
        -0.8480964004993439, -0.6106329262256622, -0.4599952697753906, -0.33967943489551544, -0.23460740596055984,
        -0.13791173323988914, -0.045525018125772476, 0.03979014977812767, 0.1202552504837513, 0.2035212516784668,
        0.2920137718319893, 0.3893125355243683, 0.5016634166240692, 0.6427869200706482, 0.8614784181118011,
      ].map(Math.fround),
    );
  });

  it('FP4 orders its codes by value, the plain zero before the negative one', () => {
    expect(Array.from(quantTypeBounds('fp4').order)).toEqual([11, 10, 13, 12, 15, 14, 9, 0, 8, 1, 6, 7, 4, 5, 2, 3]);
    expect(codeTable('fp4')[1]).toBe(Math.fround(0.0625 / 12));
  });

  it('INT4 has fifteen even steps with zero at code 7, and never reaches code 15', () => {
    const code = codeTable('int4');
    expect([code[0], code[7], code[14], code[15]]).toEqual([-1, 0, 1, 1]);
    expect(code[10]).toBe(Math.fround(3 / 7));
    expect(quantTypeBounds('int4').bounds[14]).toBe(1);
  });

  it('hands out copies', () => {
    codeTable('nf4')[0] = 5;
    expect(codeTable('nf4')[0]).toBe(-1);
  });
});
