/** A value of a GGUF file's metadata, by the number of its type. */
export interface GgufEntry {
  readonly type: number;
  readonly value: unknown;
  /** Of a list. */
  readonly itemType?: number;
}

/** A tensor as a header describes it, dimensions as in the file: fastest first. */
export interface GgufTensorEntry {
  readonly dims: readonly number[];
  readonly type: number;
  readonly bytes: Uint8Array;
  /** Where its bytes are said to lie, if not where they do. */
  readonly offset?: number;
}

export interface GgufParts {
  readonly version?: number;
  readonly metadata?: Readonly<Record<string, GgufEntry>>;
  readonly tensors?: Readonly<Record<string, GgufTensorEntry>>;
  readonly alignment?: number;
}

const number = (width: number, value: number | bigint): Buffer => {
  const buffer = Buffer.alloc(width);
  if (width === 8) buffer.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)));
  else buffer.writeUIntLE(Number(BigInt.asUintN(8 * width, BigInt(value))), 0, width);
  return buffer;
};
const text = (value: string): Buffer => Buffer.concat([number(8, Buffer.byteLength(value)), Buffer.from(value)]);
const widths: Record<number, number> = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 7: 1, 10: 8, 11: 8 };

function value({ type, value: content, itemType = 0 }: GgufEntry): Buffer {
  if (type === 8) return text(content as string);
  if (type === 9) {
    const items = (content as unknown[]).map((item) =>
      // A list in a list comes with the type of its items.
      value(itemType === 9 ? (item as GgufEntry) : { type: itemType, value: item }),
    );
    return Buffer.concat([number(4, itemType), number(8, items.length), ...items]);
  }
  if (type === 6) return Buffer.from(Float32Array.of(content as number).buffer);
  if (type === 12) return Buffer.from(Float64Array.of(content as number).buffer);
  return number(widths[type] ?? 4, typeof content === 'boolean' ? Number(content) : (content as number | bigint));
}

/** Bytes of a GGUF file, also of ones that no tool would write. */
export function ggufFile({ version = 3, metadata = {}, tensors = {}, alignment = 32 }: GgufParts): Uint8Array {
  const entries = Object.entries(metadata);
  const head = [
    Buffer.from('GGUF'),
    number(4, version),
    number(8, Object.keys(tensors).length),
    number(8, entries.length),
  ];
  for (const [key, entry] of entries) head.push(text(key), number(4, entry.type), value(entry));
  const data: Buffer[] = [];
  let end = 0;
  for (const [name, { dims, type, bytes, offset = end }] of Object.entries(tensors)) {
    head.push(
      text(name),
      number(4, dims.length),
      ...dims.map((size) => number(8, size)),
      number(4, type),
      number(8, offset),
    );
    const padded = Buffer.alloc(Math.ceil(bytes.length / alignment) * alignment);
    padded.set(bytes);
    data.push(padded);
    end += padded.length;
  }
  const header = Buffer.concat(head);
  const start = Buffer.alloc(Math.ceil(header.length / alignment) * alignment);
  start.set(header);
  return Uint8Array.from(Buffer.concat([start, ...data]));
}
