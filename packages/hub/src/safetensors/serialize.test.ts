import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { goldenPath } from '../../../../tools/test/golden';
import { dtypeBits, type SafetensorsDtype } from '../dtype/dtypes';
import { bufferSource } from '../files/byte-source';
import { type StoredTensor } from '../tensor';
import { openSafetensors } from './open';
import { serializeSafetensors } from './serialize';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** The bytes (37 i + 11) mod 256, as the Python side of the test below filled its tensors. */
function ramp(name: string, dtype: SafetensorsDtype, shape: number[]): StoredTensor {
  const length = (shape.reduce((a, b) => a * b, 1) * dtypeBits(dtype)) / 8;
  const bytes = Uint8Array.from({ length }, (_, i) => (dtype === 'BOOL' ? (i * 37 + 11) & 1 : (i * 37 + 11) & 255));
  return { name, dtype, shape, bytes };
}

describe('serializeSafetensors', () => {
  // Hashes of what safetensors 0.8.0 (safetensors.torch.save, torch 2.15) wrote for the same tensors: every dtype torch
  // has, names that need escapes, names whose order differs between UTF-8 and UTF-16, a scalar, an empty tensor.
  const tensors = [
    ...Object.entries({
      bool: 'BOOL',
      uint8: 'U8',
      int8: 'I8',
      float8_e5m2: 'F8_E5M2',
      float8_e4m3fn: 'F8_E4M3',
      float8_e8m0fnu: 'F8_E8M0',
      int16: 'I16',
      uint16: 'U16',
      float16: 'F16',
      bfloat16: 'BF16',
      int32: 'I32',
      uint32: 'U32',
      float32: 'F32',
      complex64: 'C64',
      float64: 'F64',
      int64: 'I64',
      uint64: 'U64',
      float8_e4m3fnuz: 'F8_E4M3FNUZ',
      float8_e5m2fnuz: 'F8_E5M2FNUZ',
    } satisfies Record<string, SafetensorsDtype>).map(([name, dtype]) => ramp(name, dtype, [3])),
    ramp('\u00e9 "q"\\\n\t\u0001\u007f', 'F32', [2, 2]),
    ramp('z\u{1f600}', 'F32', [1]),
    ramp('z\uffff', 'F32', [1]),
    ramp('scalar', 'F32', []),
    ramp('empty', 'F32', [0, 5]),
    ...['B', 'a', '10', '9', '__proto__'].map((name) => ramp(name, 'F32', [1])),
  ];
  it.each([
    [undefined, 'ef5cdae71f1a01e414bd95c19f33a3c154a4d9203b858d0cf1fb7f66c58eb8b6'],
    [{}, '997b2c02382653573cba8d75acbaad9f212c960bc393ced1eec15eaccf3e0c37'],
    [{ format: 'pt' }, '92321ceaa09a5ba0f1a4b5e3e919e1eb9b6930137e8003d5a77fabb14c64b1d1'],
    [{ 'k \u00e9': 'v"\n' }, 'ee805eb668f78fa6c5c7234e0b4354e1b76e5f5d97c56f677111c89ebc645b36'],
  ])('writes the bytes of the Python library, metadata %j', (metadata, expected) => {
    expect(sha256(serializeSafetensors(tensors, metadata))).toBe(expected);
  });

  it('does not depend on the order in which tensors are given', () => {
    expect(serializeSafetensors([...tensors].reverse())).toEqual(serializeSafetensors(tensors));
  });

  const files = [
    'checkpoints/expected',
    'quant',
    'optim',
    'training/batches',
    'training/base/model',
    'training/base-nf4/model',
    'training/adapter-start/adapter_model',
  ];
  it.each(files)('gives %s of the Python library back byte for byte', async (name) => {
    const original = new Uint8Array(readFileSync(goldenPath(`${name}.safetensors`)));
    const file = await openSafetensors(bufferSource(original));
    const read = await Promise.all([...file.tensors.keys()].map((name) => file.read(name)));
    const metadata = Object.keys(file.metadata).length > 0 ? file.metadata : undefined;
    expect(Buffer.compare(serializeSafetensors(read, metadata), original)).toBe(0);
  });

  it('round trips any names, shapes and metadata', async () => {
    const dtype = fc.constantFrom<SafetensorsDtype>('F32', 'F16', 'U8', 'I64', 'BOOL');
    const name = fc.string({ unit: 'binary' }).filter((text) => text !== '__metadata__');
    const tensor = fc.record({ name, dtype, shape: fc.array(fc.nat(4), { maxLength: 3 }) });
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(tensor, { selector: (one) => one.name }),
        fc.dictionary(name, fc.string({ unit: 'binary' })),
        async (described, metadata) => {
          const given = described.map((one) => ramp(one.name, one.dtype, one.shape));
          const file = await openSafetensors(bufferSource(serializeSafetensors(given, metadata)));
          expect(file.metadata).toEqual({ ...metadata });
          expect(file.tensors.size).toBe(given.length);
          for (const one of given) expect(await file.read(one.name)).toEqual(one);
        },
      ),
    );
  });

  it.each([
    ['a name twice', [ramp('a', 'F32', [1]), ramp('a', 'F16', [1])], /"a".*two of that name/],
    ['too few bytes', [{ ...ramp('a', 'F32', [2]), shape: [3] }], /"a".*\[3\] of F32 takes 12 bytes, but 8/],
    ['a negative size', [{ ...ramp('a', 'F32', [1]), shape: [-1] }], /"a".*\[-1\]/],
    ['half a byte', [{ ...ramp('a', 'F4', [2]), shape: [3] }], /"a".*\[3\] of "F4"/],
    ['the reserved name', [ramp('__metadata__', 'U8', [1])], /reserved/],
    ['a lone surrogate', [ramp('\ud800', 'U8', [1])], /Unicode/],
  ])('refuses %s', (_, given, message) => {
    expect(() => serializeSafetensors(given)).toThrow(message);
  });
});
