import { isSafetensorsDtype, tensorByteLength } from '../dtype/dtypes';
import { type DocumentBudget, parseJson, shown } from '@qlora-js/read-budget';
import { HubError } from '../error';
import { type TensorInfo } from '../tensor';

/** MAX_HEADER_SIZE in safetensors/src/tensor.rs. */
export const maxHeaderBytes = 100_000_000;

/** Bytes of the little-endian header length that a file starts with. */
export const lengthBytes = 8;

/** A tensor's entry in a header. */
export interface SafetensorsTensorInfo extends TensorInfo {
  /** Its first byte, counted from the start of the file. */
  readonly byteOffset: number;
}

/** What a header says. */
export interface SafetensorsHeader {
  /** `__metadata__`, empty where there is none. */
  metadata: Record<string, string>;
  /** By ascending offset, as they lie in the file. */
  tensors: Map<string, SafetensorsTensorInfo>;
}

/** The header length that the first 8 bytes say, checked against the size of the file. */
export function headerLength(first: Uint8Array, fileSize: number, place: string): number {
  const length = new DataView(first.buffer, first.byteOffset, lengthBytes).getBigUint64(0, true);
  if (length > BigInt(maxHeaderBytes)) {
    throw corrupt(place, `its header says to be ${length} bytes long, more than the ${maxHeaderBytes} allowed`);
  }
  if (lengthBytes + Number(length) > fileSize) {
    throw new HubError(
      'TRUNCATED_FILE',
      `${place}: the header needs ${lengthBytes + Number(length)} bytes, but the file has ${fileSize}. Fetch it again.`,
      { place, value: fileSize },
    );
  }
  return Number(length);
}

/**
 * Reads and checks a header. `fileSize` is that of the whole file, which the tensors must fill to the last byte without
 * holes or overlaps (Metadata::validate and SafeTensors::deserialize in safetensors/src/tensor.rs).
 */
export function parseHeader(bytes: Uint8Array, fileSize: number, budget: DocumentBudget): SafetensorsHeader {
  const { place } = budget;
  const document = parseDocument(bytes, budget);
  const dataStart = lengthBytes + bytes.byteLength;
  let metadata: Record<string, string> = {};
  const entries: [string, SafetensorsTensorInfo][] = [];
  for (const [name, value] of Object.entries(document)) {
    if (name === '__metadata__') metadata = checkMetadata(value, place);
    else entries.push([name, checkTensor(name, value, dataStart, place)]);
  }
  entries.sort(([, a], [, b]) => a.byteOffset - b.byteOffset || a.byteLength - b.byteLength);
  let end = dataStart;
  for (const [name, info] of entries) {
    if (info.byteOffset !== end) {
      const what = info.byteOffset < end ? 'overlaps the tensor before it' : 'leaves unused bytes before it';
      throw corrupt(place, `tensor ${shown(name)} ${what} (data starts at ${info.byteOffset}, expected ${end})`);
    }
    end = info.byteOffset + info.byteLength;
  }
  if (end > fileSize) {
    throw new HubError(
      'TRUNCATED_FILE',
      `${place}: its tensors need ${end} bytes, but the file has ${fileSize}. Fetch it again.`,
      { place, value: fileSize },
    );
  }
  if (end < fileSize) throw corrupt(place, `${fileSize - end} bytes follow its last tensor`);
  return { metadata, tensors: new Map(entries) };
}

function parseDocument(bytes: Uint8Array, budget: DocumentBudget): object {
  const { place } = budget;
  if (bytes[0] !== 0x7b) throw corrupt(place, 'its header does not start with {');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw corrupt(place, 'its header is not UTF-8');
  }
  // The format pads with spaces alone, and the Rust library refuses these bytes too.
  if (text.endsWith('\0')) throw corrupt(place, 'its header is padded with NUL bytes, where the format has spaces');
  const document = parseJson(text, budget, { duplicateKeys: 'refuse', part: 'its header' });
  if (!isObject(document)) throw corrupt(place, 'its header is not a JSON object');
  return document;
}

function checkMetadata(value: unknown, place: string): Record<string, string> {
  if (!isObject(value)) throw corrupt(place, '__metadata__ is not an object');
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') throw corrupt(place, `__metadata__ ${shown(key)} is not a string: ${shown(text)}`);
  }
  return value as Record<string, string>;
}

function checkTensor(name: string, value: unknown, dataStart: number, place: string): SafetensorsTensorInfo {
  const tensor = `tensor ${shown(name)}`;
  if (!isObject(value)) throw corrupt(place, `${tensor} is not described by an object`);
  const { dtype, shape, data_offsets: offsets } = value as Record<string, unknown>;
  if (typeof dtype !== 'string') throw corrupt(place, `${tensor} has no dtype`);
  if (!isSafetensorsDtype(dtype)) {
    throw new HubError('UNSUPPORTED', `${place}: ${tensor} has the unknown dtype ${shown(dtype)}`, {
      place,
      value: dtype,
    });
  }
  if (!Array.isArray(shape)) throw corrupt(place, `${tensor} has no shape`);
  const length = tensorByteLength(dtype, shape);
  if (length === undefined) throw corrupt(place, `${tensor} has the impossible shape ${shown(shape)} of ${dtype}`);
  if (!Array.isArray(offsets) || offsets.length !== 2) throw corrupt(place, `${tensor} has no data_offsets`);
  const [start, end] = offsets as unknown[];
  if (!isOffset(start) || !isOffset(end) || end < start) {
    throw corrupt(place, `${tensor} has the impossible data_offsets ${shown(offsets)}`);
  }
  if (end - start !== length) {
    throw corrupt(place, `${tensor} is ${shown(shape)} of ${dtype}, ${length} bytes, but has ${end - start}`);
  }
  return { dtype, shape: shape as number[], byteOffset: dataStart + start, byteLength: length };
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Bounded so that adding the header's size stays exact. */
function isOffset(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= 2 ** 52;
}

function corrupt(place: string, problem: string): HubError {
  return new HubError(
    'CORRUPT_FILE',
    `${place} is not a valid safetensors file: ${problem}. Fetch or write it again.`,
    {
      place,
    },
  );
}
