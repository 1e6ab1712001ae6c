import { HubError } from '../error';
import { pickleLimits } from './limits';

const lenientUtf8 = new TextDecoder();

/** Thrown inside the package where a pickle goes on past the bytes at hand; the caller may come back with more. */
export class PickleEnded extends HubError {
  constructor(place: string) {
    super(
      'TRUNCATED_FILE',
      `${place}: a pickle ends in the middle. The file is truncated or damaged: fetch it again.`,
      {
        place,
      },
    );
  }
}

/** Reads a pickle's bytes in order. */
export class PickleCursor {
  private readonly view: DataView;

  constructor(
    private readonly bytes: Uint8Array,
    /** The byte that is read next. */
    public at: number,
    /** The file, as errors call it. */
    readonly place: string,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Moves on by `length` bytes and gives the place they start at. */
  private skip(length: number): number {
    if (length > this.bytes.length - this.at) throw new PickleEnded(this.place);
    const start = this.at;
    this.at += length;
    return start;
  }

  byte(): number {
    return this.bytes[this.skip(1)]!;
  }

  uint16(): number {
    return this.view.getUint16(this.skip(2), true);
  }

  uint32(): number {
    return this.view.getUint32(this.skip(4), true);
  }

  int32(): number {
    return this.view.getInt32(this.skip(4), true);
  }

  /** An unsigned 64-bit length; past 2^53 it is refused as longer than any file. */
  length64(): number {
    const length = this.view.getBigUint64(this.skip(8), true);
    if (length > BigInt(Number.MAX_SAFE_INTEGER)) throw new PickleEnded(this.place);
    return Number(length);
  }

  /** Big-endian, as pickle's BINFLOAT has it. */
  float64(): number {
    return this.view.getFloat64(this.skip(8), false);
  }

  slice(length: number): Uint8Array {
    const start = this.skip(length);
    return this.bytes.subarray(start, start + length);
  }

  /** Two's complement, little-endian, any length (LONG1, LONG4). */
  integer(length: number): number | bigint {
    const bytes = this.slice(length);
    let value = 0n;
    for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
    if (bytes.length > 0 && bytes.at(-1)! >= 128) value -= 1n << BigInt(8 * bytes.length);
    return BigInt(Number(value)) === value && Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  /** Text up to a newline, which is skipped. */
  line(): string {
    const end = this.bytes.subarray(0, this.at + pickleLimits.nameBytes + 1).indexOf(10, this.at);
    if (end < 0 && this.bytes.length - this.at > pickleLimits.nameBytes) {
      throw new HubError(
        'CORRUPT_FILE',
        `${this.place}: a name in a pickle is longer than any. Fetch the file again.`,
        {
          place: this.place,
        },
      );
    }
    if (end < 0) throw new PickleEnded(this.place);
    const bytes = this.slice(end - this.at);
    this.at++;
    return lenientUtf8.decode(bytes);
  }
}
