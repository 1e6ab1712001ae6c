import { dtypeRank, isSafetensorsDtype, type SafetensorsDtype, tensorByteLength } from '../dtype/dtypes';
import { shown } from '@qlora-js/read-budget';
import { HubError } from '../error';
import { type StoredTensor } from '../tensor';
import { lengthBytes, maxHeaderBytes } from './header';

/** What a tensor's entry in a header is made from. */
export interface TensorDescription {
  readonly name: string;
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
}

export interface SafetensorsLayout<Tensor> {
  /** Length field and padded header: the bytes before the first tensor's. */
  head: Uint8Array;
  /** In the order in which their bytes follow. */
  ordered: Tensor[];
  /** Bytes of the whole file. */
  size: number;
}

/**
 * Lays a file out as `prepare` in safetensors/src/tensor.rs does: tensors by descending dtype, then by the bytes of
 * their UTF-8 names; compact JSON, padded with spaces to 8 bytes. Several metadata keys come in the order given: the
 * Rust library writes those in the order of a hash map, so there only one key has a defined result.
 */
export function layoutSafetensors<Tensor extends TensorDescription>(
  tensors: Iterable<Tensor>,
  metadata?: Readonly<Record<string, string>>,
): SafetensorsLayout<Tensor> {
  const encoder = new TextEncoder();
  const sorted = [...tensors].map((tensor) => ({ tensor, key: encoder.encode(tensor.name) }));
  sorted.sort((a, b) => dtypeRank(b.tensor.dtype) - dtypeRank(a.tensor.dtype) || compareBytes(a.key, b.key));
  const names = new Set<string>();
  const entries: string[] = [];
  if (metadata !== undefined) entries.push(`"__metadata__":${metadataJson(metadata)}`);
  let offset = 0;
  for (const { tensor } of sorted) {
    const { name, dtype, shape } = tensor;
    const length = isSafetensorsDtype(dtype) ? tensorByteLength(dtype, shape) : undefined;
    if (length === undefined) throw refused(name, `${shown(shape)} of ${shown(dtype)} is not a shape and dtype`);
    if (name === '__metadata__') throw refused(name, 'that name is reserved');
    if (!isWellFormed(name)) throw refused(name, 'the name is not well-formed Unicode');
    if (names.has(name)) throw refused(name, 'there are two of that name');
    names.add(name);
    entries.push(
      `${JSON.stringify(name)}:{"dtype":"${dtype}","shape":[${shape.join(',')}],` +
        `"data_offsets":[${offset},${offset + length}]}`,
    );
    offset += length;
  }
  const json = encoder.encode(`{${entries.join(',')}}`);
  const padded = Math.ceil(json.length / lengthBytes) * lengthBytes;
  if (padded > maxHeaderBytes) {
    throw new HubError('INVALID_ARGUMENT', `the header would take ${padded} bytes, more than ${maxHeaderBytes}`);
  }
  const head = new Uint8Array(lengthBytes + padded).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(padded), true);
  head.set(json, lengthBytes);
  return { head, ordered: sorted.map(({ tensor }) => tensor), size: head.length + offset };
}

/**
 * A whole safetensors file in memory, byte for byte as Python's `safetensors` writes it. For files too big for that see
 * `writeSafetensors` in `@qlora-js/hub/node`. Throws `HubError` `INVALID_ARGUMENT` where a name comes twice or the
 * bytes don't fit the shape.
 */
export function serializeSafetensors(
  tensors: Iterable<StoredTensor>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array {
  const { head, ordered, size } = layoutSafetensors(tensors, metadata);
  const file = new Uint8Array(size);
  file.set(head);
  let offset = head.length;
  for (const tensor of ordered) {
    checkBytes(tensor, tensor.bytes);
    file.set(tensor.bytes, offset);
    offset += tensor.bytes.byteLength;
  }
  return file;
}

/** Throws unless `bytes` is as long as shape and dtype say. */
export function checkBytes(tensor: TensorDescription, bytes: Uint8Array): void {
  const expected = tensorByteLength(tensor.dtype, tensor.shape);
  if (bytes.byteLength === expected) return;
  throw refused(
    tensor.name,
    `${shown(tensor.shape)} of ${tensor.dtype} takes ${expected} bytes, but ${bytes.byteLength} were given`,
  );
}

function metadataJson(metadata: Readonly<Record<string, string>>): string {
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value === 'string' && isWellFormed(value) && isWellFormed(key)) continue;
    throw new HubError('INVALID_ARGUMENT', `metadata ${shown(key)} must be a well-formed string, not ${shown(value)}`, {
      value,
    });
  }
  return JSON.stringify(metadata);
}

/** False where a surrogate stands alone, which UTF-8 can't hold. */
function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}

function refused(name: string, problem: string): HubError {
  return new HubError('INVALID_ARGUMENT', `can't write tensor ${shown(name)}: ${problem}`, { value: name });
}
