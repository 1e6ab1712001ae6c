import { describe, expect, it } from 'vitest';
import * as p from '../../test/pickle-writer';
import { HubError } from '../error';
import { bufferSource } from '../files/byte-source';
import { openPyTorchCheckpoint } from './open';

const joined = (...parts: (p.Pickled | Uint8Array)[]): Uint8Array =>
  Uint8Array.from(Buffer.concat(parts.map((part) => Uint8Array.from(part))));

/** What refuses the opcodes in a legacy file and, where it is the same, in a zip. */
async function refusal(opcodes: p.Pickled | Uint8Array, limits = {}): Promise<HubError> {
  const files = [p.legacyFile(opcodes, []), p.zipFile({ 'm/data.pkl': p.pickle(opcodes) })];
  const errors = files.map((file) =>
    openPyTorchCheckpoint(bufferSource(file, 'x.bin'), { limits }).catch((thrown: unknown) => thrown),
  );
  const [legacy, zip] = await Promise.all(errors);
  if (!HubError.isInstance(legacy) || !HubError.isInstance(zip)) {
    throw new Error('expected a HubError', { cause: [legacy, zip] });
  }
  expect([zip.code, zip.place]).toEqual([legacy.code, legacy.place]);
  return legacy;
}

const get0: p.Pickled = [0x68, 0];
const put0: p.Pickled = [0x71, 0];
const pop: p.Pickled = [0x30];
const long = (value: bigint): p.Pickled => [0x8a, 9, ...new Uint8Array(BigInt64Array.of(value).buffer), 0];

describe('a pickle that would cost more than its bytes may', () => {
  const orderedDict = p.global('collections', 'OrderedDict');
  const pair = p.list(p.int(1), p.int(2));
  const manyPairs = joined(p.emptyList, p.mark, p.repeated(5_000, [...pair]), [0x65], put0, pop);
  const callOnIt = [...orderedDict, ...get0, 0x85, ...p.reduce];

  it.each([
    ['one list made a dict 2,000 times', joined(manyPairs, p.repeated(2_000, callOnIt))],
    ['9 million memo entries', joined(p.none, p.repeated(9_000_000, [0x94]))],
    ['12 million empty dicts', p.repeated(12_000_000, p.emptyDict)],
    ['empty lists', p.repeated(9_000_000, p.emptyList)],
    ['tuples in tuples', joined(p.none, p.repeated(9_000_000, [0x85]))],
    [
      'one storage named over and over',
      joined(
        p.tuple(p.str('storage'), p.global('torch', 'FloatStorage'), p.str('0'), p.str('cpu'), p.int(0)),
        put0,
        p.repeated(500_000, [...get0, ...p.persistent]),
      ),
    ],
  ])('is refused: %s', async (_, opcodes) => {
    const error = await refusal(opcodes);
    expect([error.code, error.place]).toEqual(['OVER_BUDGET', 'x.bin']);
    expect(error.message).toMatch(
      /^x.bin: reading its \d+ bytes would take more than \d+ (bytes of memory|steps of work)/,
    );
  });

  it('is refused within the limits of the caller', async () => {
    const text = p.str('x'.repeat(10_000));
    expect((await refusal(text, { memoryBytes: 8_000 })).message).toMatch(/higher limits.memoryBytes/);
    expect((await refusal(p.repeated(1000, p.none), { steps: 500 })).message).toMatch(/higher limits.steps/);
    expect((await refusal(text)).code).toBe('UNSUPPORTED');
    expect((await refusal(text, { steps: -1 })).code).toBe('INVALID_ARGUMENT');
  });
});

describe('a refused value that no error text can hold as it is', () => {
  const tensorOf = (shape: p.Pickled, stride: p.Pickled, offset: p.Pickled = p.int(0)): p.Pickled => [
    ...p.global('torch._utils', '_rebuild_tensor_v2'),
    ...p.tuple(p.storage('0', 2), offset, shape, stride, p.no, p.emptyDict),
    ...p.reduce,
  ];
  const circular = [...p.emptyList, ...put0, ...get0, 0x61];
  const deep = [...p.none, ...p.repeated(100_000, [0x85])];

  it.each<[string, p.Pickled, RegExp]>([
    ['a size of 2 ** 60', tensorOf(p.tuple(long(2n ** 60n)), p.tuple(p.int(1))), /shape \[1152921504606846976\]/],
    ['a stride of 2 ** 60', tensorOf(p.tuple(p.int(1)), p.tuple(long(2n ** 60n))), /strides \[1152921504606846976\]/],
    ['a circular size', tensorOf(p.tuple(circular), p.tuple(p.int(1))), /impossible shape \[PickleList\]/],
    ['a deep size', tensorOf(deep, p.tuple(p.int(1))), /impossible shape \[PickleTuple\]/],
    [
      'a size of 100,000 dimensions',
      tensorOf([...p.mark, ...p.repeated(100_000, [0x4b, 1]), 0x74], p.emptyTuple),
      /shape \[1,1,/,
    ],
  ])('%s', async (_, opcodes, message) => {
    const error = await refusal(opcodes);
    expect([error.code, error.place]).toEqual(['CORRUPT_FILE', 'x.bin']);
    expect(error.message).toMatch(message);
    expect(error.message.length).toBeLessThan(500);
  });

  it('a protocol version, a storage key and a byte order of any kind', async () => {
    const legacy = p.legacyFile(p.none, []);
    const version = Buffer.from(legacy).indexOf(Buffer.from(p.int(1001) as number[]));
    const changed = joined(legacy.subarray(0, version), long(2n ** 62n), legacy.subarray(version + 5));
    await expect(openPyTorchCheckpoint(bufferSource(changed, 'x.bin'))).rejects.toThrow(
      /x.bin .* has protocol version 4611686018427387904, not 1001/,
    );
  });

  it('a name without end', async () => {
    expect((await refusal([0x63, ...Array<number>(5_000).fill(65)])).message).toMatch(/a name in a pickle is longer/);
  });
});
