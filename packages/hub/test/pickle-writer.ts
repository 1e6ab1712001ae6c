/** Bytes of a pickle by opcode, for files that torch.save would never write. Sizes are those of the shortest forms. */
export type Pickled = readonly number[];

const text = (value: string): number[] => [...new TextEncoder().encode(value)];
const uint32 = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >>> shift) & 255);

export const proto: Pickled = [0x80, 2];
export const stop: Pickled = [0x2e];
export const mark: Pickled = [0x28];
export const none: Pickled = [0x4e];
export const yes: Pickled = [0x88];
export const no: Pickled = [0x89];
export const emptyTuple: Pickled = [0x29];
export const emptyDict: Pickled = [0x7d];
export const emptyList: Pickled = [0x5d];
export const reduce: Pickled = [0x52];
export const build: Pickled = [0x62];
export const persistent: Pickled = [0x51];
export const setItems: Pickled = [0x75];
export const int = (value: number): Pickled => [0x4a, ...uint32(value)];
export const str = (value: string): Pickled => [0x58, ...uint32(text(value).length), ...text(value)];
export const global = (module: string, name: string): Pickled => [0x63, ...text(`${module}\n${name}\n`)];
export const tuple = (...items: Pickled[]): Pickled => [...mark, ...items.flat(), 0x74];
export const list = (...items: Pickled[]): Pickled => [...emptyList, ...mark, ...items.flat(), 0x65];
export const dict = (...items: [Pickled, Pickled][]): Pickled => [...emptyDict, ...mark, ...items.flat(2), ...setItems];
export const call = (callable: Pickled, ...args: Pickled[]): Pickled => [...callable, ...tuple(...args), ...reduce];
/** The opcode sequence, many times over. */
export function repeated(count: number, opcodes: Pickled): Uint8Array {
  const bytes = new Uint8Array(count * opcodes.length);
  for (let at = 0; at < bytes.length; at += opcodes.length) bytes.set(opcodes, at);
  return bytes;
}
export const pickle = (...parts: (Pickled | Uint8Array)[]): Uint8Array =>
  Uint8Array.from(Buffer.concat([proto, ...parts, stop].map((part) => Uint8Array.from(part))));

export const storage = (key: string, elements: number, type = 'FloatStorage', view: Pickled = none): Pickled => [
  ...tuple(str('storage'), global('torch', type), str(key), str('cpu'), int(elements), view),
  ...persistent,
];

export interface TensorGeometry {
  offset?: number;
  shape?: number[];
  stride?: number[];
}

export const tensor = (of: Pickled, { offset = 0, shape = [2], stride = [1] }: TensorGeometry = {}): Pickled =>
  call(
    global('torch._utils', '_rebuild_tensor_v2'),
    ...[of, int(offset), tuple(...shape.map(int)), tuple(...stride.map(int)), no, emptyDict],
  );

/** What comes before the storages: magic number, protocol version, system, object, keys. */
export function legacyHead(
  object: Pickled | Uint8Array,
  keys: readonly string[],
  system: Pickled = dict([str('little_endian'), yes]),
): Uint8Array {
  const magic = [0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
  const parts = [magic, int(1001), system, object, list(...keys.map(str))];
  return Uint8Array.from(Buffer.concat(parts.map((part) => pickle(part))));
}

/** The head, and for each key a length and the bytes. */
export function legacyFile(
  object: Pickled | Uint8Array,
  storages: readonly { key: string; elements: number; bytes: Uint8Array }[],
  system?: Pickled,
): Uint8Array {
  const keys = storages.map(({ key }) => key);
  const parts = [legacyHead(object, keys, system)];
  for (const { elements, bytes } of storages) {
    parts.push(new Uint8Array(BigInt64Array.of(BigInt(elements)).buffer), bytes);
  }
  return Uint8Array.from(Buffer.concat(parts));
}

/** A zip of stored files; `zip64` writes the sizes and offsets into 64-bit fields. */
export function zipFile(files: Record<string, Uint8Array | string>, { zip64 = false, method = 0 } = {}): Uint8Array {
  const local: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of Object.entries(files)) {
    const data = Buffer.from(content as Uint8Array);
    const header = Buffer.alloc(30);
    header.writeUInt32LE(0x04034b50, 0);
    header.writeUInt16LE(name.length, 26);
    // An extra field that the directory has not, as torch pads entries to 64 bytes.
    header.writeUInt16LE(5, 28);
    local.push(header, Buffer.from(name), Buffer.from('FB\x01\x00Z', 'latin1'), data);
    const extra = Buffer.alloc(zip64 ? 28 : 0);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(method, 10);
    entry.writeUInt32LE(zip64 ? 0xffffffff : data.length, 20);
    entry.writeUInt32LE(zip64 ? 0xffffffff : data.length, 24);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt16LE(extra.length, 30);
    entry.writeUInt32LE(zip64 ? 0xffffffff : offset, 42);
    if (zip64) {
      extra.writeUInt16LE(1, 0);
      extra.writeUInt16LE(24, 2);
      [data.length, data.length, offset].forEach((value, i) => extra.writeBigUInt64LE(BigInt(value), 4 + 8 * i));
    }
    directory.push(entry, Buffer.from(name), extra);
    offset += 30 + name.length + 5 + data.length;
  }
  const list = Buffer.concat(directory);
  const count = Object.keys(files).length;
  const end64 = Buffer.alloc(zip64 ? 76 : 0);
  if (zip64) {
    end64.writeUInt32LE(0x06064b50, 0);
    [count, count, list.length, offset].forEach((value, i) => end64.writeBigUInt64LE(BigInt(value), 24 + 8 * i));
    end64.writeUInt32LE(0x07064b50, 56);
    end64.writeBigUInt64LE(BigInt(offset + list.length), 64);
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(zip64 ? 0xffff : count, 10);
  end.writeUInt32LE(zip64 ? 0xffffffff : list.length, 12);
  end.writeUInt32LE(zip64 ? 0xffffffff : offset, 16);
  return Uint8Array.from(Buffer.concat([...local, list, end64, end]));
}
