import { describe, expect, it } from 'vitest';
import { crc32c, maskedCrc32c } from './crc32c';
import { fileVersionEvent, record, scalarsEvent, textEvent } from './events';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('crc32c', () => {
  it.each([
    // RFC 3720, appendix B.4, and the usual check value.
    [new Uint8Array(32), 0x8a9136aa],
    [new Uint8Array(32).fill(0xff), 0x62a8ab43],
    [Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
    [Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
    [new TextEncoder().encode('123456789'), 0xe3069283],
  ])('of the published vectors', (bytes, crc) => {
    expect(crc32c(bytes)).toBe(crc);
  });

  it.each([
    // tensorboard 2.21, masked_crc32c
    ['', 0xa282ead8],
    ['123456789', 0xc78ab0e5],
    ['\0'.repeat(32), 0x0fd7fffa],
  ])("masked as tensorboard's own", (text, masked) => {
    expect(maskedCrc32c(new TextEncoder().encode(text))).toBe(masked);
  });
});

describe('events', () => {
  it("have the bytes that tensorboard's protocol buffers serialise to", () => {
    const time = { wallTime: 1700000000.25, step: 2 ** 40 + 5 };
    expect(
      hex(
        scalarsEvent(time, [
          ['train/loss', 1.5],
          ['eval/f1', Infinity],
        ]),
      ),
    ).toBe(
      '0900001040fc54d941108580808080202a230a110a0a747261696e2f6c6f7373150000c03f0a0e0a076576616c2f6631150000807f',
    );
    expect(hex(textEvent({ wallTime: 1.5, step: 7 }, 'config', 'é'))).toBe(
      '09000000000000f83f10072a220a200a06636f6e666967420c08071204120208014202c3a94a080a060a0474657874',
    );
    expect(hex(fileVersionEvent(1.5))).toBe(`09000000000000f83f1a0d${Buffer.from('brain.Event:2').toString('hex')}`);
  });

  it('are framed by length and checksums', () => {
    const framed = record(new TextEncoder().encode('123456789'));
    const view = new DataView(framed.buffer);
    expect(framed).toHaveLength(8 + 4 + 9 + 4);
    expect(view.getBigUint64(0, true)).toBe(9n);
    expect(view.getUint32(8, true)).toBe(maskedCrc32c(framed.subarray(0, 8)));
    expect(view.getUint32(21, true)).toBe(0xc78ab0e5);
  });
});
