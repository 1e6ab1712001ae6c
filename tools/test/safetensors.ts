import { readFileSync } from 'node:fs';

/** A tensor as the file holds it. */
export interface GoldenTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

interface Header {
  [name: string]: { dtype: string; shape: number[]; data_offsets: [number, number] };
}

/** The tensors of a golden file. Only for files the tests trust: nothing is checked. */
export class GoldenTensors {
  private readonly header: Header;
  private readonly data: Buffer;
  /** What the file says about itself: versions, seed, command. */
  readonly metadata: Readonly<Record<string, string>>;

  constructor(path: string) {
    const file = readFileSync(path);
    const headerBytes = Number(file.readBigUInt64LE(0));
    this.header = JSON.parse(file.toString('utf8', 8, 8 + headerBytes)) as Header;
    this.metadata = (this.header['__metadata__'] ?? {}) as unknown as Record<string, string>;
    delete this.header['__metadata__'];
    this.data = file.subarray(8 + headerBytes);
  }

  get names(): string[] {
    return Object.keys(this.header);
  }

  get(name: string): GoldenTensor {
    const {
      dtype,
      shape,
      data_offsets: [start, end],
    } = this.header[name]!;
    return { name, dtype, shape, bytes: new Uint8Array(this.data.subarray(start, end)) };
  }

  bytes(name: string): Uint8Array {
    return this.get(name).bytes;
  }

  floats(name: string): Float32Array {
    return new Float32Array(this.bytes(name).slice().buffer);
  }

  integers(name: string): Int32Array {
    return new Int32Array(this.bytes(name).slice().buffer);
  }

  /** Values of an F16 tensor. */
  halfs(name: string): Float32Array {
    return Float32Array.from(new Uint16Array(this.bytes(name).slice().buffer), halfToFloat);
  }
}

function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}
