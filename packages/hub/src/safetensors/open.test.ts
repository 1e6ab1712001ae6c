import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HubError } from '../error';
import { bufferSource } from '../files/byte-source';
import { openSafetensors } from './open';
import { serializeSafetensors } from './serialize';

/** A file with this header text and this many data bytes. */
function file(header: string | Uint8Array, dataBytes = 0, headerLength?: bigint): Uint8Array {
  const text = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, headerLength ?? BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

const open = (bytes: Uint8Array) => openSafetensors(bufferSource(bytes, 'x.safetensors'));
const f32 = (start: number, end: number, shape: unknown = [(end - start) / 4]): string =>
  `{"dtype":"F32","shape":${JSON.stringify(shape)},"data_offsets":[${start},${end}]}`;

describe('openSafetensors', () => {
  it('reads the tensors where they lie, in the order of the file', async () => {
    const bytes = file(`{"b":${f32(4, 12)},"a":${f32(0, 4, [])},"none":${f32(12, 12)}}  `, 12);
    bytes.set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], bytes.length - 12);
    const opened = await open(bytes);
    expect([...opened.tensors.keys()]).toEqual(['a', 'b', 'none']);
    expect(await opened.read('a')).toEqual({ name: 'a', dtype: 'F32', shape: [], bytes: Uint8Array.of(1, 2, 3, 4) });
    expect((await opened.read('b')).bytes).toEqual(Uint8Array.of(5, 6, 7, 8, 9, 10, 11, 12));
    expect((await opened.read('none')).shape).toEqual([0]);
    expect(opened.metadata).toEqual({});
  });

  it('names a tensor that is not there', async () => {
    const opened = await open(file('{}'));
    await expect(opened.read('toString')).rejects.toMatchObject({ code: 'UNKNOWN_TENSOR', value: 'toString' });
  });

  it('takes __proto__ as a name like any other', async () => {
    const opened = await open(file(`{"__proto__":${f32(0, 4)},"__metadata__":{"__proto__":"x"}}`, 4));
    expect([...opened.tensors.keys()]).toEqual(['__proto__']);
    expect(Object.entries(opened.metadata)).toEqual([['__proto__', 'x']]);
    expect(({} as Record<string, unknown>)['dtype']).toBeUndefined();
  });

  const huge = '9007199254740993';
  it.each([
    ['an empty file', new Uint8Array(0), 'TRUNCATED_FILE', /0 bytes are too few/],
    ['a header past the end', file('{}', 0, 3n), 'TRUNCATED_FILE', /needs 11 bytes, but the file has 10/],
    ['a header over the limit', file('{}', 0, 100_000_001n), 'CORRUPT_FILE', /100000001 bytes long/],
    ['a length with the top bit set', file('{}', 0, 1n << 63n), 'CORRUPT_FILE', /9223372036854775808/],
    ['no header', file('', 0), 'CORRUPT_FILE', /start with \{/],
    ['a header that starts with a space', file(' {}'), 'CORRUPT_FILE', /start with \{/],
    ['an array', file('[]'), 'CORRUPT_FILE', /start with \{/],
    ['broken JSON', file('{"a":'), 'CORRUPT_FILE', /not JSON/],
    ['a header padded with NUL bytes', file('{}\0\0'), 'CORRUPT_FILE', /padded with NUL bytes, where.*spaces/],
    ['a nest without end', file('{"a":'.repeat(2_000_000)), 'CORRUPT_FILE', /its header nests deeper than 128/],
    [
      'a header of empty objects',
      file(`{"a":[${'{},'.repeat(3_000_000)}0]}`),
      'OVER_BUDGET',
      /reading its 9000009 bytes would take more than/,
    ],
    ['broken UTF-8', file(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d)), 'CORRUPT_FILE', /not UTF-8/],
    ['a name twice', file(`{"a":${f32(0, 4)},"\\u0061":${f32(0, 4)}}`, 4), 'CORRUPT_FILE', /"a" twice/],
    [
      'a key of a tensor twice',
      file('{"a":{"dtype":"F32","dtype":"I32","shape":[1],"data_offsets":[0,4]}}', 4),
      'CORRUPT_FILE',
      /"dtype" twice/,
    ],
    ['metadata that is no object', file('{"__metadata__":[]}'), 'CORRUPT_FILE', /__metadata__/],
    ['metadata with a number', file('{"__metadata__":{"a":1}}'), 'CORRUPT_FILE', /"a" is not a string/],
    ['a tensor that is null', file('{"a":null}'), 'CORRUPT_FILE', /"a" is not described/],
    ['no dtype', file('{"a":{"shape":[],"data_offsets":[0,4]}}', 4), 'CORRUPT_FILE', /no dtype/],
    [
      'an unknown dtype',
      file('{"a":{"dtype":"toString","shape":[],"data_offsets":[0,4]}}', 4),
      'UNSUPPORTED',
      /unknown dtype "toString"/,
    ],
    ['no shape', file('{"a":{"dtype":"F32","data_offsets":[0,4]}}', 4), 'CORRUPT_FILE', /no shape/],
    ['a negative size', file(`{"a":${f32(0, 4, [-1])}}`, 4), 'CORRUPT_FILE', /\[-1\]/],
    ['a broken size', file(`{"a":${f32(0, 4, [0.5])}}`, 4), 'CORRUPT_FILE', /\[0.5\]/],
    ['a text as size', file(`{"a":${f32(0, 4, ['1'])}}`, 4), 'CORRUPT_FILE', /\["1"\]/],
    ['a shape that overflows', file(`{"a":${f32(0, 0, [2 ** 40, 2 ** 40, 0])}}`), 'CORRUPT_FILE', /impossible shape/],
    ['a size past 2^53', file(`{"a":${f32(0, 4).replace('[1]', `[${huge}]`)}}`, 4), 'CORRUPT_FILE', /shape/],
    ['half a byte', file('{"a":{"dtype":"F4","shape":[1],"data_offsets":[0,1]}}', 1), 'CORRUPT_FILE', /shape/],
    ['one offset', file('{"a":{"dtype":"F32","shape":[],"data_offsets":[0]}}'), 'CORRUPT_FILE', /no data_offsets/],
    ['offsets the wrong way round', file(`{"a":${f32(4, 0, [])}}`, 4), 'CORRUPT_FILE', /\[4,0\]/],
    ['a negative offset', file(`{"a":${f32(-4, 0)}}`, 4), 'CORRUPT_FILE', /\[-4,0\]/],
    ['an offset past 2^53', file(`{"a":${f32(0, 4).replace('[0,4]', `[0,${huge}]`)}}`, 4), 'CORRUPT_FILE', /data_off/],
    ['too few bytes for the shape', file(`{"a":${f32(0, 4, [2])}}`, 4), 'CORRUPT_FILE', /8 bytes, but has 4/],
    ['an overlap', file(`{"a":${f32(0, 8)},"b":${f32(4, 8)}}`, 8), 'CORRUPT_FILE', /"b" overlaps/],
    ['a hole', file(`{"a":${f32(0, 4)},"b":${f32(8, 12)}}`, 12), 'CORRUPT_FILE', /"b" leaves unused/],
    ['a hole at the start', file(`{"a":${f32(4, 8)}}`, 8), 'CORRUPT_FILE', /"a" leaves unused/],
    ['bytes after the last tensor', file(`{"a":${f32(0, 4)}}`, 5), 'CORRUPT_FILE', /1 bytes follow/],
    ['missing bytes', file(`{"a":${f32(0, 4)}}`, 3), 'TRUNCATED_FILE', /Fetch it again/],
  ])('refuses %s', async (_, bytes, code, message) => {
    const error = await open(bytes).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(HubError.isInstance(error) && [error.code, error.place]).toEqual([code, 'x.safetensors']);
    expect((error as HubError).message).toMatch(message);
  });

  it('throws HubError alone on damaged files, and never reads outside them', async () => {
    const good = serializeSafetensors(
      [
        { name: 'a', dtype: 'F32', shape: [2, 2], bytes: new Uint8Array(16) },
        { name: 'b"\u00e9', dtype: 'U8', shape: [3], bytes: new Uint8Array(3) },
      ],
      { format: 'pt' },
    );
    const damage = fc.array(fc.record({ at: fc.nat(good.length - 1), value: fc.nat(255) }), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(damage, fc.nat(good.length), async (changes, length) => {
        const bytes = good.slice(0, changes.length === 0 ? length : good.length);
        for (const { at, value } of changes) if (at < bytes.length) bytes[at] = value;
        await expectSafe(bytes);
      }),
      { numRuns: 1000 },
    );
  });

  it('throws HubError alone on any JSON', async () => {
    const entry = fc.record(
      {
        dtype: fc.oneof(fc.constantFrom('F32', 'U8', 'F4'), fc.jsonValue()),
        shape: fc.oneof(fc.array(fc.nat(4), { maxLength: 3 }), fc.jsonValue()),
        data_offsets: fc.oneof(fc.tuple(fc.nat(16), fc.nat(16)), fc.jsonValue()),
      },
      { requiredKeys: [] },
    );
    const header = fc.dictionary(fc.string(), fc.oneof(entry, fc.jsonValue()));
    await fc.assert(
      fc.asyncProperty(header, fc.nat(20), (document, size) => expectSafe(file(JSON.stringify(document), size))),
      { numRuns: 1000 },
    );
  });

  async function expectSafe(bytes: Uint8Array): Promise<void> {
    try {
      const opened = await open(bytes);
      for (const [name, info] of opened.tensors) {
        expect((await opened.read(name)).bytes.byteLength).toBe(info.byteLength);
      }
    } catch (error) {
      expect(HubError.isInstance(error), String(error)).toBe(true);
    }
  }
});
