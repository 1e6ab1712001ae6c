import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { goldenPath } from '../../../../tools/test/golden';
import * as p from '../../test/pickle-writer';
import { torchFiles } from '../../test/torch-files';
import { toFloat32 } from '../dtype/to-float32';
import { HubError } from '../error';
import { bufferSource, type ByteSource } from '../files/byte-source';
import { openSafetensors } from '../safetensors/open';
import { openPyTorchCheckpoint } from './open';

const open = (bytes: Uint8Array) => openPyTorchCheckpoint(bufferSource(bytes, 'x.bin'));
const bytes = (values: ArrayBufferView): Uint8Array => new Uint8Array(values.buffer);
const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const two = Float32Array.of(1, 2);
const oneStorage = [{ key: '0', elements: 2, bytes: bytes(two) }];
/** A legacy file with one float storage of two elements. */
const legacy = (object: p.Pickled, storages = oneStorage): Uint8Array => p.legacyFile(object, storages);
const named = (value: p.Pickled): p.Pickled => p.dict([p.str('t'), value]);
const zip = (
  object: p.Pickled,
  more: Record<string, Uint8Array | string> = {},
): Record<string, Uint8Array | string> => ({
  'm/data.pkl': p.pickle(object),
  'm/data/0': bytes(two),
  ...more,
});
const simple = named(p.tensor(p.storage('0', 2)));

async function failure(content: Uint8Array): Promise<HubError> {
  try {
    const file = await open(content);
    for (const name of file.tensors.keys()) await file.read(name);
  } catch (error) {
    if (HubError.isInstance(error)) return error;
    throw error;
  }
  throw new Error('expected a HubError');
}

describe.each(['zip', 'legacy'] as const)('a %s file of torch.save', (format) => {
  const content = new Uint8Array(gunzipSync(Buffer.from(torchFiles[format], 'base64')));

  it('gives every dtype, view and stride as contiguous tensors', async () => {
    const file = await open(content);
    const a = (i: number, j: number, k: number): number => 12 * i + 4 * j + k;
    const expected: Record<string, [number[], ArrayBufferView]> = {
      whole: [[2, 3, 4], Float32Array.from(range(24))],
      permuted: [[4, 2, 3], Float32Array.from(range(4).flatMap((k) => range(6).map((ij) => 4 * ij + k)))],
      stepped: [
        [2, 2, 2],
        Float32Array.from([0, 1].flatMap((i) => [0, 2].flatMap((j) => [1, 3].map((k) => a(i, j, k))))),
      ],
      slice: [[3, 4], Float32Array.from(range(12).map((i) => 12 + i))],
      expanded: [[3, 4], Float64Array.from([0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3])],
      transposed64: [[4, 3], Float64Array.from(range(4).flatMap((j) => range(3).map((i) => 4 * i + j)))],
      half_t: [[3, 2], Uint16Array.of(0, 0x4200, 0x3c00, 0x4400, 0x4000, 0x4500)],
      bf16: [[3], Uint16Array.of(0, 0x3f80, 0x4000)],
      i8: [[2], Int8Array.of(-1, 2)],
      u8_t: [[3, 2], Uint8Array.of(0, 3, 1, 4, 2, 5)],
      i16: [[2], Int16Array.of(-300, 2)],
      i32: [[2], Int32Array.of(-3, 2 ** 30)],
      i64: [[2], BigInt64Array.of(-3n, 2n ** 40n)],
      bool: [[2], Uint8Array.of(1, 0)],
      c64: [[1], Float32Array.of(1, 2)],
      scalar: [[], Float32Array.of(7.5)],
      empty: [[0, 5], new Uint8Array(0)],
      param: [[1], Float32Array.of(1.25)],
      ...(format === 'zip' && { u16: [[2], Uint16Array.of(1, 65535)], f8: [[2], Uint8Array.of(0x38, 0xc0)] }),
    };
    expect([...file.tensors.keys()]).toEqual(Object.keys(expected));
    expect(file.others).toEqual(['step']);
    for (const [name, [shape, values]] of Object.entries(expected)) {
      const tensor = await file.read(name);
      expect([name, tensor.shape, [...tensor.bytes]]).toEqual([name, shape, [...bytes(values)]]);
      expect(file.tensors.get(name)).toEqual({ dtype: tensor.dtype, shape, byteLength: tensor.bytes.length });
    }
    expect(file.tensors.get('c64')!.dtype).toBe('C64');
    expect(file.tensors.get('bool')!.dtype).toBe('BOOL');
  });

  it('of GPT-2 gives the tensors of its safetensors twin', async () => {
    const folder = goldenPath('checkpoints');
    const file = await open(readFileSync(`${folder}/${format}.bin`));
    const twin = await openSafetensors(bufferSource(readFileSync(`${folder}/expected.safetensors`)));
    for (const name of twin.tensors.keys()) {
      const [ours, theirs] = [await file.read(`transformer.${name}`), await twin.read(name)];
      expect(ours.shape).toEqual(theirs.shape);
      expect(toFloat32(ours)).toEqual(toFloat32(theirs));
    }
    const rest = [...file.tensors.keys()].filter((name) => !twin.tensors.has(name.replace('transformer.', '')));
    expect(rest).toEqual([
      ...[0, 1].flatMap((i) => [`transformer.h.${i}.attn.bias`, `transformer.h.${i}.attn.masked_bias`]),
      'lm_head.decoder.weight',
    ]);
  });

  it('reads nothing of a large storage but the range asked for', async () => {
    const big = new Float32Array(1_000_000);
    big[777_777] = 42;
    const object = p.dict(
      [p.str('all'), p.tensor(p.storage('0', big.length), { shape: [big.length] })],
      [p.str('one'), p.tensor(p.storage('0', big.length), { offset: 777_777, shape: [1] })],
    );
    const whole =
      format === 'zip'
        ? p.zipFile({ ...zip(object), 'm/data/0': bytes(big) })
        : p.legacyFile(object, [{ key: '0', elements: big.length, bytes: bytes(big) }]);
    let read = 0;
    const inner = bufferSource(whole);
    const counting: ByteSource = {
      ...inner,
      read: (offset, length) => {
        read += length;
        return inner.read(offset, length);
      },
    };
    const file = await openPyTorchCheckpoint(counting);
    expect(toFloat32(await file.read('one'))).toEqual(Float32Array.of(42));
    expect(read).toBeLessThan(400_000);
  });
});

describe('openPyTorchCheckpoint', () => {
  it('gathers any strided view as its definition says', async () => {
    const geometry = fc
      .array(fc.record({ size: fc.nat(4), stride: fc.nat(7) }), { maxLength: 4 })
      .chain((axes) => fc.record({ axes: fc.constant(axes), offset: fc.nat(3) }));
    const types = fc.constantFrom(
      ['ByteStorage', 1] as const,
      ['HalfStorage', 2] as const,
      ['FloatStorage', 4] as const,
      ['DoubleStorage', 8] as const,
    );
    await fc.assert(
      fc.asyncProperty(geometry, types, async ({ axes, offset }, [type, itemBytes]) => {
        const elements = 300;
        const content = Uint8Array.from({ length: elements * itemBytes }, (_, i) => (i * 131) >> 3);
        const view = { offset, shape: axes.map(({ size }) => size), stride: axes.map(({ stride }) => stride) };
        const object = named(p.tensor(p.storage('0', elements, type), view));
        const file = await open(p.legacyFile(object, [{ key: '0', elements, bytes: content }]));
        let places = [offset];
        for (const { size, stride } of axes) places = places.flatMap((at) => range(size).map((i) => at + i * stride));
        const expected = places.flatMap((at) => [...content.subarray(at * itemBytes, (at + 1) * itemBytes)]);
        expect([...(await file.read('t')).bytes]).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  it('reads zip64 archives', async () => {
    const file = await open(p.zipFile(zip(simple), { zip64: true }));
    expect(toFloat32(await file.read('t'))).toEqual(two);
  });

  it('reads views on a part of a storage, as early versions of torch wrote them', async () => {
    const view = p.tuple(p.str('view'), p.int(1), p.int(1));
    const file = await open(legacy(named(p.tensor(p.storage('0', 2, 'FloatStorage', view), { shape: [1] }))));
    expect(toFloat32(await file.read('t'))).toEqual(Float32Array.of(2));
  });

  it("reads Python 2's OrderedDict and protocol 4", async () => {
    const pair = p.list(p.str('t'), p.tensor(p.storage('0', 2)));
    const old = await open(legacy(p.call(p.global('collections', 'OrderedDict'), p.list(pair))));
    expect(toFloat32(await old.read('t'))).toEqual(two);
    const short = (text: string): p.Pickled => [0x8c, text.length, ...new TextEncoder().encode(text), 0x94];
    const stackGlobal = [...short('collections'), ...short('OrderedDict'), 0x93, 0x94, ...p.emptyTuple, ...p.reduce];
    const frame = [0x95, 9, 0, 0, 0, 0, 0, 0, 0];
    const object = [...frame, ...stackGlobal, ...short('t'), ...p.tensor(p.storage('0', 2)), 0x73];
    expect(toFloat32(await (await open(legacy(object))).read('t'))).toEqual(two);
  });

  const attack = p.call(p.global('os', 'system'), p.str('touch /tmp/x'));
  it.each([
    ['os.system', attack, 'os.system'],
    ['builtins.eval', p.call(p.global('builtins', 'eval'), p.str('1')), 'builtins.eval'],
    ['a global that is only passed around', named(p.global('posix', 'system')), 'posix.system'],
    ['a class by STACK_GLOBAL', [...p.str('numpy'), ...p.str('ndarray'), 0x93], 'numpy.ndarray'],
    ['a name of Object.prototype', p.global('torch', 'constructor'), 'torch.constructor'],
    ['a dotted way out', p.global('collections', 'OrderedDict.__init__'), 'collections.OrderedDict.__init__'],
    ['a call of a storage type', p.call(p.global('torch', 'FloatStorage')), 'torch.FloatStorage'],
    ['a call of text', p.call(p.str('x')), 'str'],
    ['the state of a tensor', [...p.tensor(p.storage('0', 2)), ...p.emptyDict, ...p.build], 'a torch tensor'],
    ['NEWOBJ', [...p.global('collections', 'OrderedDict'), ...p.emptyTuple, 0x81], 'NEWOBJ'],
    ['INST', [...p.mark, 0x69, ...new TextEncoder().encode('os\nsystem\n')], 'INST'],
    ['EXT1', [0x82, 1], 'EXT1'],
  ])('refuses %s by name, in both formats', async (_, object, value) => {
    for (const content of [legacy(object), p.zipFile(zip(object))]) {
      const error = await failure(content);
      expect([error.code, error.value]).toEqual(['UNSAFE_PICKLE', value]);
      expect(error.message).toContain('x.bin');
    }
    expect((await failure(legacy(p.list(object)))).code).toBe('UNSAFE_PICKLE');
  });

  const view = (geometry: p.TensorGeometry): Uint8Array => legacy(named(p.tensor(p.storage('0', 2), geometry)));
  it.each([
    ['an empty file', new Uint8Array(0), 'TRUNCATED_FILE', /ends in the middle/],
    ['a Git LFS pointer', Buffer.from('version https://git-lfs.github.com/spec/v1\n'), 'CORRUPT_FILE', /Git LFS/],
    ['an error page', Buffer.from('<html><body>404</body></html>'), 'CORRUPT_FILE', /magic number/],
    ['a tensor past its storage', view({ offset: 1 }), 'CORRUPT_FILE', /leaves its storage "0" of 2/],
    ['strides past the storage', view({ stride: [2] }), 'CORRUPT_FILE', /leaves its storage/],
    ['a negative offset', view({ offset: -1 }), 'CORRUPT_FILE', /no offset/],
    ['a negative size', view({ shape: [-2] }), 'CORRUPT_FILE', /impossible shape \[-2\]/],
    ['a negative stride', view({ stride: [-1] }), 'CORRUPT_FILE', /strides \[-1\]/],
    ['strides of another number', view({ stride: [1, 1] }), 'CORRUPT_FILE', /impossible/],
    ['a bomb of stride 0', view({ shape: [2 ** 30], stride: [0] }), 'CORRUPT_FILE', /larger than the whole file/],
    [
      'an overflow',
      view({ shape: Array<number>(9).fill(2 ** 30), stride: Array<number>(9).fill(0) }),
      'CORRUPT_FILE',
      /impossible shape/,
    ],
    ['a list', legacy(p.list(), []), 'UNSUPPORTED', /holds list, not a state dict/],
    [
      'a checkpoint of a trainer',
      legacy(p.dict([p.str('state_dict'), simple], [p.str('epoch'), p.int(3)])),
      'UNSUPPORTED',
      /only: "state_dict", "epoch".*state_dict\(\)/,
    ],
    [
      'a big-endian file',
      p.legacyFile(simple, oneStorage, p.dict([p.str('little_endian'), p.no])),
      'UNSUPPORTED',
      /endian/,
    ],
    ['a storage that is missing', legacy(simple, []), 'CORRUPT_FILE', /"0" is missing/],
    [
      'a storage of no tensor',
      legacy(simple, [{ key: '1', elements: 0, bytes: new Uint8Array(0) }]),
      'CORRUPT_FILE',
      /"1" belongs to no/,
    ],
    ['a storage twice', legacy(simple, [...oneStorage, ...oneStorage]), 'CORRUPT_FILE', /"0" comes twice/],
    [
      'a storage of another length than its own word',
      legacy(simple, [{ ...oneStorage[0]!, elements: 3 }]),
      'CORRUPT_FILE',
      /says to have 3 elements, its tensors 2/,
    ],
    [
      'two lengths of one storage',
      legacy(p.dict([p.str('t'), p.tensor(p.storage('0', 2))], [p.str('u'), p.tensor(p.storage('0', 3))])),
      'CORRUPT_FILE',
      /two lengths/,
    ],
    ['a cut file', legacy(simple).subarray(0, -1), 'TRUNCATED_FILE', /storages end at byte/],
    ['a cut pickle', legacy(simple).subarray(0, 60), 'TRUNCATED_FILE', /ends in the middle/],
    [
      'a view past its storage',
      legacy(named(p.storage('0', 2, 'FloatStorage', p.tuple(p.str('v'), p.int(1), p.int(2))))),
      'CORRUPT_FILE',
      /view leaves/,
    ],
    ['an unknown storage', legacy(named(p.storage('0', 2, 'QInt8Storage'))), 'UNSAFE_PICKLE', /torch.QInt8Storage/],
    ['an empty stack', legacy([0x52]), 'CORRUPT_FILE', /stack runs empty/],
    ['a missing mark', legacy([0x74]), 'CORRUPT_FILE', /mark is missing/],
    ['a missing memo', legacy([0x68, 9]), 'CORRUPT_FILE', /no entry 9/],
    ['values left over', legacy([...p.none, ...p.none]), 'CORRUPT_FILE', /left on its stack/],
    [
      'a key without value',
      legacy([...p.emptyDict, ...p.mark, ...p.none, ...p.setItems]),
      'CORRUPT_FILE',
      /key has no/,
    ],
    ['an unknown opcode', legacy([0xff]), 'CORRUPT_FILE', /255 at byte \d+ is no opcode/],
    ['nesting without end', legacy(Array<number>(2000).fill(0x28)), 'CORRUPT_FILE', /nests too deep/],
    ['a huge integer', legacy([0x8b, 255, 255, 255, 127]), 'CORRUPT_FILE', /integer of 2147483647 bytes/],
    ['a string past the end', legacy([0x8d, ...Array<number>(8).fill(255)]), 'TRUNCATED_FILE', /ends in the middle/],
    ['broken UTF-8', legacy([0x8c, 1, 0xff]), 'CORRUPT_FILE', /not UTF-8/],
    ['a zip without its end', p.zipFile(zip(simple)).subarray(0, -1), 'TRUNCATED_FILE', /without its end/],
    ['a compressed zip', p.zipFile(zip(simple), { method: 8 }), 'UNSUPPORTED', /compressed/],
    [
      'a zip of two checkpoints',
      p.zipFile({ ...zip(simple), 'n/data.pkl': p.pickle(simple) }),
      'UNSUPPORTED',
      /archive of 2 checkpoints \(\["m\/data.pkl","n\/data.pkl"\]\)/,
    ],
    ['another zip', p.zipFile({ 'a.txt': 'x' }), 'UNSUPPORTED', /no data.pkl/],
    ['TorchScript', p.zipFile(zip(simple, { 'm/constants.pkl': '' })), 'UNSUPPORTED', /TorchScript/],
    ['a big-endian zip', p.zipFile(zip(simple, { 'm/byteorder': 'big' })), 'UNSUPPORTED', /byte order "big"/],
    ['a zip storage too short', p.zipFile(zip(simple, { 'm/data/0': 'abc' })), 'CORRUPT_FILE', /8 bytes, but has 3/],
    ['a zip storage missing', p.zipFile({ 'm/data.pkl': p.pickle(simple) }), 'CORRUPT_FILE', /no entry/],
    ['a zip entry twice', twice(), 'CORRUPT_FILE', /two entries/],
  ])('refuses %s', async (_, content, code, message) => {
    const error = await failure(content);
    expect(error.message).toMatch(message);
    expect([error.code, error.place]).toEqual([code, 'x.bin']);
  });

  function twice(): Uint8Array {
    const file = Buffer.from(p.zipFile(zip(simple, { 'm/data/1': '' })));
    for (let at = file.indexOf('m/data/1'); at >= 0; at = file.indexOf('m/data/1')) file.write('m/data/0', at);
    return file;
  }

  it.each(['zip', 'legacy', 'zip64'] as const)('throws HubError alone on damaged %s files', async (format) => {
    const good = format === 'legacy' ? legacy(simple) : p.zipFile(zip(simple), { zip64: format === 'zip64' });
    const damage = fc.array(fc.record({ at: fc.nat(good.length - 1), value: fc.nat(255) }), { maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(damage, fc.nat(good.length), async (changes, length) => {
        const content = good.slice(0, changes.length === 0 ? length : good.length);
        for (const { at, value } of changes) content[at] = value;
        try {
          const file = await open(content);
          for (const [name, info] of file.tensors) {
            expect((await file.read(name)).bytes.byteLength).toBe(info.byteLength);
          }
        } catch (error) {
          expect(HubError.isInstance(error), String(error)).toBe(true);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('throws HubError alone on any opcodes', async () => {
    const opcode = fc.constantFrom(
      ...'(.0125NJKMGXTUBC]aelt)}dsucRbQqrhj',
      '\x85',
      '\x8a',
      '\x93',
      '\x94',
      '\x95',
      '\x01',
    );
    const program = fc.array(
      fc.oneof(
        opcode.map((text) => text.charCodeAt(0)),
        fc.nat(255),
      ),
      { maxLength: 40 },
    );
    await fc.assert(
      fc.asyncProperty(program, async (opcodes) => {
        const error = await open(legacy(opcodes)).catch((thrown: unknown) => thrown);
        expect(error instanceof Error ? HubError.isInstance(error) : true, String(error)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});
