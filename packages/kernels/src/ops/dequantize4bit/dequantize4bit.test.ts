import { memory, tensor1d, type Tensor1D } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { goldenPath } from '../../../../../tools/test/golden';
import { GoldenTensors } from '../../../../../tools/test/safetensors';
import { createDynamicMap } from '../../formats/dynamic-map';
import { codeTable, QUANT_TYPES, type QuantType } from '../../formats/codes';
import { describeBackends, expectClose, forAll, integers, normals, runPoisoned } from '../../testing';
import { bytesToInt32 } from '../blockwise8bit';
import { BLOCKSIZES } from '../quantize4bit';
import { denestReference, dequantize4bitReference } from './reference';
import { dequantize4bit, type Quantized4bit } from '.';

const bytes = (values: ArrayLike<number>) => tensor1d(bytesToInt32(Uint8Array.from(values)), 'int32');

function dispose({ packed, absmax, nested, code }: Quantized4bit): void {
  for (const held of [packed, absmax, code, nested?.absmax, nested?.code, nested?.offset]) held?.dispose();
}

const cases = fc.record({
  size: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.constantFrom(4096, 4097, 20_001)),
  quantType: fc.constantFrom(...QUANT_TYPES),
  blocksize: fc.constantFrom(...BLOCKSIZES),
  nestedBlocksize: fc.constantFrom(undefined, 4, 256),
});

describeBackends('dequantize4bit', (backend) => {
  it('gives code times absmax to half an ulp, nested or not', async () => {
    await forAll(
      cases,
      async ({ size, quantType, blocksize, nestedBlocksize }) => {
        const blocks = Math.ceil(size / blocksize);
        const packed = integers(1, Math.ceil(size / 2), 256);
        const code = codeTable(quantType);
        const offset = Math.fround(0.7);
        const levels = createDynamicMap({ signed: true });
        const absmaxCodes = integers(2, blocks, 256);
        const nestedAbsmax = normals(3, Math.ceil(blocks / (nestedBlocksize ?? 1))).map(Math.abs);
        const absmax =
          nestedBlocksize === undefined
            ? normals(4, blocks).map(Math.abs)
            : denestReference(absmaxCodes, nestedAbsmax, levels, offset, nestedBlocksize);
        const quantized: Quantized4bit = {
          packed: bytes(packed),
          absmax: nestedBlocksize === undefined ? tensor1d(absmax) : bytes(absmaxCodes),
          ...(nestedBlocksize === undefined
            ? {}
            : {
                nested: {
                  absmax: tensor1d(nestedAbsmax),
                  code: tensor1d(levels),
                  offset: tensor1d([offset]),
                  blocksize: nestedBlocksize,
                },
              }),
          shape: [1, size],
          blocksize,
          quantType,
        };
        const [values] = await runPoisoned(backend, () => [dequantize4bit(quantized)]);
        const expected = dequantize4bitReference(packed, absmax, code, blocksize, size);
        expected.forEach((value, i) => {
          if (Math.abs(values![i]! - value) > 2 ** -24 * Math.abs(value)) {
            expect.fail(`element ${i} is ${values![i]}, expected ${value}`);
          }
        });
        await expectClose('dequantize4bit', backend, values!, expected, { relative: 2 ** -24 });
        dispose(quantized);
      },
      20,
    );
  });

  it('reads the codes by the table it is given', async () => {
    const code: Tensor1D = tensor1d(Float32Array.from({ length: 16 }, (_, i) => i));
    const quantized = { packed: bytes([0x01, 0xfe]), absmax: tensor1d([2]), code, shape: [4], blocksize: 32 };
    const values = dequantize4bit({ ...quantized, quantType: 'nf4' });
    expect([...(await values.data())]).toEqual([0, 2, 30, 28]);
    values.dispose();
    dispose({ ...quantized, quantType: 'nf4' });
  });

  it('agrees with bitsandbytes on the golden values', async () => {
    const golden = new GoldenTensors(goldenPath('quant.safetensors'));
    let compared = 0;
    for (const key of golden.names.filter((name) => name.endsWith('.packed')).map((name) => name.slice(0, -7))) {
      const [input = '', quantType, blocksize, nesting] = key.split('.');
      const { shape } = golden.get(`${input}.input`);
      const nested = {
        absmax: () => tensor1d(golden.floats(`${key}.nested_absmax`)),
        code: () => tensor1d(golden.floats(`${key}.nested_code`)),
        offset: () => tensor1d(golden.floats(`${key}.offset`)),
      };
      const quantized: Quantized4bit = {
        packed: bytes(golden.bytes(`${key}.packed`)),
        absmax: nesting === 'dq' ? bytes(golden.bytes(`${key}.absmax`)) : tensor1d(golden.floats(`${key}.absmax`)),
        code: tensor1d(golden.floats(`${key}.code`)),
        ...(nesting === 'dq'
          ? { nested: { absmax: nested.absmax(), code: nested.code(), offset: nested.offset(), blocksize: 256 } }
          : {}),
        shape,
        blocksize: Number(blocksize),
        quantType: quantType as QuantType,
      };
      const values = dequantize4bit(quantized);
      const found = await values.data();
      golden.floats(`${key}.dequant`).forEach((expected, i) => {
        if (Math.abs(found[i]! - expected) > 2 ** -23 * Math.abs(expected)) {
          expect.fail(`${key}: element ${i} is ${found[i]}, expected ${expected}`);
        }
      });
      compared++;
      values.dispose();
      dispose(quantized);
    }
    expect(compared).toBe(56);
  });

  it('refuses parts that do not fit, naming them, and leaves nothing behind', () => {
    const packed = bytes([1, 2, 3, 4, 5]);
    const [one, two] = [tensor1d([1]), tensor1d([1, 2])];
    const good = { packed, absmax: one, shape: [10], blocksize: 32, quantType: 'nf4' as const };
    const before = memory().numTensors;
    const wrong: [Partial<Quantized4bit>, RegExp][] = [
      [{ shape: [40] }, /packed is int32 \[2\], but 20 bytes/],
      [{ absmax: two }, /absmax has shape \[2\], but \[1\]/],
      [{ code: two }, /code has shape \[2\], but \[16\]/],
      [{ blocksize: 33 }, /blocksize is 33/],
      [{ nested: { absmax: one, code: two, offset: one, blocksize: 256 } }, /absmax is float32 \[1\], but 1 bytes/],
      [{ absmax: bytes([1]), nested: { absmax: two, code: two, offset: one, blocksize: 256 } }, /nested\.absmax/],
      [{ absmax: bytes([1]), nested: { absmax: one, code: two, offset: one, blocksize: 256 } }, /nested\.code/],
    ];
    for (const [change, message] of wrong) expect(() => dequantize4bit({ ...good, ...change })).toThrow(message);
    expect(memory().numTensors).toBe(before + 2);
    for (const held of [packed, one, two, wrong[5]![0].absmax!, wrong[6]![0].absmax!]) held.dispose();
  });
});
