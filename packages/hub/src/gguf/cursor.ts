import { type DocumentBudget } from '@qlora-js/read-budget';
import { HubError } from '../error';

/** Thrown inside the package where a header goes on past the bytes at hand; the caller may come back with more. */
export class GgufEnded extends HubError {
  constructor(place: string) {
    super(
      'TRUNCATED_FILE',
      `${place}: its header ends in the middle. The file is truncated or damaged: fetch it again.`,
      {
        place,
      },
    );
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads a header's bytes in order, each value booked before it is made. */
export class GgufCursor {
  /** The byte that is read next. */
  at = 0;
  private readonly view: DataView;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly budget: DocumentBudget,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  uint8(): number {
    return this.view.getUint8(this.skip(1));
  }

  int8(): number {
    return this.view.getInt8(this.skip(1));
  }

  uint16(): number {
    return this.view.getUint16(this.skip(2), true);
  }

  int16(): number {
    return this.view.getInt16(this.skip(2), true);
  }

  uint32(): number {
    return this.view.getUint32(this.skip(4), true);
  }

  int32(): number {
    return this.view.getInt32(this.skip(4), true);
  }

  float32(): number {
    return this.view.getFloat32(this.skip(4), true);
  }

  float64(): number {
    return this.view.getFloat64(this.skip(8), true);
  }

  /** A number where it is exact as one. */
  uint64(): number | bigint {
    return exact(this.view.getBigUint64(this.skip(8), true));
  }

  int64(): number | bigint {
    return exact(this.view.getBigInt64(this.skip(8), true));
  }

  /** A count or size, which past 2^53 no file has. */
  length(): number {
    const value = this.uint64();
    if (typeof value === 'bigint') throw new GgufEnded(this.budget.place);
    return value;
  }

  text(): string {
    const length = this.length();
    const start = this.skip(length);
    this.budget.spend(2, 24 + length);
    try {
      return utf8.decode(this.bytes.subarray(start, start + length));
    } catch {
      const { place } = this.budget;
      throw new HubError('CORRUPT_FILE', `${place}: a string of its header is not UTF-8. Fetch it again.`, { place });
    }
  }

  /** Moves on by `length` bytes and gives the place they start at. */
  private skip(length: number): number {
    if (length > this.bytes.length - this.at) throw new GgufEnded(this.budget.place);
    const start = this.at;
    this.at += length;
    return start;
  }
}

function exact(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
