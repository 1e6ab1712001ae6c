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
import { dequantize4bit, type QuantizedTensor, type QuantState } from '.';

const bytes = (values: ArrayLike<number>) => tensor1d(bytesToInt32(Uint8Array.from(values)), 'int32');

function dispose({ packed, state: { absmax, code, offset, state2 } }: QuantizedTensor): void {
  for (const held of [packed, absmax, code, offset, state2?.absmax, state2?.code]) held?.dispose();
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
        const state = {
          absmax: nestedBlocksize === undefined ? tensor1d(absmax) : bytes(absmaxCodes),
          code: tensor1d(code),
          shape: [1, size],
          blocksize,
          quantType,
          ...(nestedBlocksize === undefined
            ? {}
            : {
                offset: tensor1d([offset]),
                state2: { absmax: tensor1d(nestedAbsmax), code: tensor1d(levels), blocksize: nestedBlocksize },
              }),
        };
        const quantized: QuantizedTensor = { packed: bytes(packed), state };
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
    const state = { absmax: tensor1d([2]), code, shape: [4], blocksize: 32, quantType: 'nf4' as const };
    const quantized = { packed: bytes([0x01, 0xfe]), state };
    const values = dequantize4bit(quantized);
    expect([...(await values.data())]).toEqual([0, 2, 30, 28]);
    values.dispose();
    dispose(quantized);
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
      const state: QuantState = {
        absmax: nesting === 'dq' ? bytes(golden.bytes(`${key}.absmax`)) : tensor1d(golden.floats(`${key}.absmax`)),
        code: tensor1d(golden.floats(`${key}.code`)),
        ...(nesting === 'dq'
          ? { offset: nested.offset(), state2: { absmax: nested.absmax(), code: nested.code(), blocksize: 256 } }
          : {}),
        shape,
        blocksize: Number(blocksize),
        quantType: quantType as QuantType,
      };
      const quantized = { packed: bytes(golden.bytes(`${key}.packed`)), state };
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
    const code = tensor1d(codeTable('nf4'));
    const good = { absmax: one, code, shape: [10], blocksize: 32, quantType: 'nf4' as const };
    const before = memory().numTensors;
    const wrong: [Partial<QuantState>, RegExp][] = [
      [{ shape: [40] }, /packed is int32 \[2\], but 20 bytes/],
      [{ absmax: two }, /absmax has shape \[2\], but \[1\]/],
      [{ code: two }, /code has shape \[2\], but \[16\]/],
      [{ blocksize: 33 }, /blocksize is 33/],
      [{ offset: one, state2: { absmax: one, code: two, blocksize: 256 } }, /absmax is float32 \[1\], but 1 bytes/],
      [{ absmax: bytes([1]), offset: one, state2: { absmax: two, code: two, blocksize: 256 } }, /state2\.absmax/],
      [{ absmax: bytes([1]), offset: one, state2: { absmax: one, code: two, blocksize: 256 } }, /state2\.code/],
      [{ offset: one }, /offset has 1 elements, but none/],
    ];
    for (const [change, message] of wrong)
      expect(() => dequantize4bit({ packed, state: { ...good, ...change } })).toThrow(message);
    expect(memory().numTensors).toBe(before + 2);
    for (const held of [packed, one, two, code, wrong[5]![0].absmax!, wrong[6]![0].absmax!]) held.dispose();
  });
});
