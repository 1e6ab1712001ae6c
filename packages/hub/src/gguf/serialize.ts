import { HubError } from '../error';
import { type StoredTensor } from '../tensor';

/** A value of the metadata that is written: a text, or a number of a named type. */
export type GgufEntry = string | { readonly uint32: number } | { readonly float32: number };

const MAGIC = 0x46554747;
const VERSION = 3;
const ALIGNMENT = 32;
/** Numbers of types (gguf/constants.py, GGUFValueType and GGMLQuantizationType). */
const VALUE_TYPES = { uint32: 4, float32: 6, text: 8 } as const;
const TENSOR_TYPES: Readonly<Record<string, number>> = { F32: 0, F16: 1, BF16: 30 };

/**
 * A GGUF file, version 3 (the layout: docs/gguf.md of ggml). Shapes are row-major, as in safetensors; the file has them the
 * other way round.
 *
 * @throws HubError INVALID_ARGUMENT for a tensor of another type than F32, F16 or BF16
 */
export function serializeGguf(
  tensors: readonly StoredTensor[],
  metadata: Readonly<Record<string, GgufEntry>>,
): Uint8Array {
  const head = new Writer();
  const entries = Object.entries(metadata);
  head.uint32(MAGIC);
  head.uint32(VERSION);
  head.uint64(tensors.length);
  head.uint64(entries.length);
  for (const [key, value] of entries) {
    head.text(key);
    head.value(value);
  }
  let offset = 0;
  for (const { name, dtype, shape, bytes } of tensors) {
    const type = TENSOR_TYPES[dtype];
    if (type === undefined) {
      throw new HubError('INVALID_ARGUMENT', `GGUF files are written with F32, F16 and BF16, but ${name} is ${dtype}`, {
        place: name,
        value: dtype,
      });
    }
    head.text(name);
    head.uint32(shape.length);
    for (const size of [...shape].reverse()) head.uint64(size);
    head.uint32(type);
    head.uint64(offset);
    offset = aligned(offset + bytes.byteLength);
  }
  const begin = aligned(head.length);
  const file = new Uint8Array(begin + offset);
  file.set(head.bytes());
  let at = begin;
  for (const { bytes } of tensors) {
    file.set(bytes, at);
    at = aligned(at + bytes.byteLength);
  }
  return file;
}

function aligned(size: number): number {
  return Math.ceil(size / ALIGNMENT) * ALIGNMENT;
}

/** Little-endian values, one after the other. */
class Writer {
  length = 0;
  private readonly parts: Uint8Array[] = [];

  uint32(value: number): void {
    this.add(4, (view) => view.setUint32(0, value, true));
  }

  uint64(value: number): void {
    this.add(8, (view) => view.setBigUint64(0, BigInt(value), true));
  }

  text(value: string): void {
    const bytes = new TextEncoder().encode(value);
    this.uint64(bytes.length);
    this.push(bytes);
  }

  value(entry: GgufEntry): void {
    if (typeof entry === 'string') {
      this.uint32(VALUE_TYPES.text);
      this.text(entry);
    } else if ('uint32' in entry) {
      this.uint32(VALUE_TYPES.uint32);
      this.uint32(entry.uint32);
    } else {
      this.uint32(VALUE_TYPES.float32);
      this.add(4, (view) => view.setFloat32(0, entry.float32, true));
    }
  }

  bytes(): Uint8Array {
    const all = new Uint8Array(this.length);
    let at = 0;
    for (const part of this.parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }

  private add(size: number, write: (view: DataView) => void): void {
    const bytes = new Uint8Array(size);
    write(new DataView(bytes.buffer));
    this.push(bytes);
  }

  private push(bytes: Uint8Array): void {
    this.parts.push(bytes);
    this.length += bytes.length;
  }
}
