import { type DocumentBudget, shown } from '@qlora-js/read-budget';
import { elementCount } from '../dtype/dtypes';
import { HubError } from '../error';
import { type TensorInfo } from '../tensor';
import { GgufCursor } from './cursor';
import { type GgufLayout, ggufLayouts, type GgufTensorType, otherTypes } from './tensor-types';

/** A value of the metadata; 64-bit integers past 2^53 are bigints. */
export type GgufValue = number | bigint | boolean | string | readonly GgufValue[];

/** A tensor's entry in a header; `dtype` and `byteLength` are those of what a read gives. */
export interface GgufTensorInfo extends TensorInfo {
  /** How the file holds it. */
  readonly storedAs: GgufTensorType;
  /** Its first byte, counted from the start of the file. */
  readonly byteOffset: number;
  /** Bytes that it takes in the file. */
  readonly storedBytes: number;
}

/** What a header says. */
export interface GgufHeader {
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: ReadonlyMap<string, GgufTensorInfo>;
}

/** The file starts with `GGUF`, little-endian. */
const MAGIC = 0x46554747;
/** Version 1 had counts of 32 bits and is long gone. */
const VERSIONS = [2, 3];
/** GGML_MAX_DIMS and GGML_MAX_NAME in ggml.h. */
const MOST_DIMENSIONS = 4;
const DEEPEST_ARRAY = 4;
const DEFAULT_ALIGNMENT = 32;
/** Steps and bytes of memory (measured on V8 of Node 20; see ReadBudget). */
const COSTS = { entry: [5, 120], array: [3, 64], item: [1, 16], tensor: [10, 400] } as const;

const readers: Record<number, (cursor: GgufCursor) => GgufValue> = {
  0: (cursor) => cursor.uint8(),
  1: (cursor) => cursor.int8(),
  2: (cursor) => cursor.uint16(),
  3: (cursor) => cursor.int16(),
  4: (cursor) => cursor.uint32(),
  5: (cursor) => cursor.int32(),
  6: (cursor) => cursor.float32(),
  7: (cursor) => cursor.uint8() !== 0,
  8: (cursor) => cursor.text(),
  10: (cursor) => cursor.uint64(),
  11: (cursor) => cursor.int64(),
  12: (cursor) => cursor.float64(),
};
const ARRAY = 9;

/**
 * Reads and checks a header (the layout: docs/gguf.md of ggml; gguf/gguf_reader.py). `bytes` are the file's first ones;
 * throws `GgufEnded` where the header goes on past them.
 */
export function parseGgufHeader(bytes: Uint8Array, fileSize: number, budget: DocumentBudget): GgufHeader {
  const { place } = budget;
  const cursor = new GgufCursor(bytes, budget);
  if (cursor.uint32() !== MAGIC) throw corrupt(place, 'it does not start with GGUF');
  const version = cursor.uint32();
  if (!VERSIONS.includes(version)) {
    const hint = VERSIONS.includes(version >>> 24) ? 'it is big-endian' : `it has version ${version}`;
    throw new HubError('UNSUPPORTED', `${place}: ${hint}; little-endian files of version 2 and 3 are read`, {
      place,
      value: version,
    });
  }
  const [tensorCount, entryCount] = [cursor.length(), cursor.length()];
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < entryCount; i++) {
    budget.spend(...COSTS.entry);
    const key = cursor.text();
    if (metadata.has(key)) throw corrupt(place, `it has the key ${shown(key)} twice`);
    metadata.set(key, readValue({ cursor, budget, type: cursor.uint32(), depth: 0 }));
  }
  const raw: [string, RawTensor][] = [];
  const names = new Set<string>();
  for (let i = 0; i < tensorCount; i++) {
    budget.spend(...COSTS.tensor);
    const name = cursor.text();
    if (names.has(name)) throw corrupt(place, `it has two tensors ${shown(name)}`);
    names.add(name);
    raw.push([name, readTensor(name, cursor, place)]);
  }
  const alignment = metadata.get('general.alignment') ?? DEFAULT_ALIGNMENT;
  if (typeof alignment !== 'number' || !Number.isInteger(alignment) || alignment < 1 || alignment > 2 ** 20) {
    throw corrupt(place, `its alignment is ${shown(alignment)}`);
  }
  const dataStart = Math.ceil(cursor.at / alignment) * alignment;
  return { metadata, tensors: placed(raw, { dataStart, alignment, fileSize, place }) };
}

interface RawTensor {
  readonly layout: GgufLayout;
  readonly shape: readonly number[];
  readonly elements: number;
  readonly offset: number;
}

function readValue({
  cursor,
  budget,
  type,
  depth,
}: {
  cursor: GgufCursor;
  budget: DocumentBudget;
  type: number;
  depth: number;
}): GgufValue {
  const read = readers[type];
  if (read !== undefined) return read(cursor);
  if (type !== ARRAY) throw corrupt(budget.place, `its metadata has the unknown type ${type}`);
  if (depth === DEEPEST_ARRAY) throw corrupt(budget.place, 'its metadata nests too deep');
  const itemType = cursor.uint32();
  const count = cursor.length();
  budget.spend(...COSTS.array);
  const items: GgufValue[] = [];
  for (let i = 0; i < count; i++) {
    budget.spend(...COSTS.item);
    items.push(readValue({ cursor, budget, type: itemType, depth: depth + 1 }));
  }
  return items;
}

function readTensor(name: string, cursor: GgufCursor, place: string): RawTensor {
  const dimensions = cursor.uint32();
  if (dimensions > MOST_DIMENSIONS) throw corrupt(place, `tensor ${shown(name)} has ${dimensions} dimensions`);
  // The file has the fastest dimension first.
  const shape = Array.from({ length: dimensions }, () => cursor.length()).reverse();
  const type = cursor.uint32();
  const offset = cursor.length();
  const layout = ggufLayouts.get(type);
  if (layout === undefined) {
    const known = [...ggufLayouts.values()].map((other) => other.name).join(', ');
    throw new HubError(
      'UNSUPPORTED',
      `${place}: tensor ${shown(name)} has the type ${otherTypes.get(type) ?? type}; ${known} are read`,
      { place, value: otherTypes.get(type) ?? type },
    );
  }
  const elements = elementCount(shape);
  if (elements === undefined || (shape.at(-1) ?? 1) % layout.blockElements !== 0) {
    throw corrupt(place, `tensor ${shown(name)} has the impossible shape ${shown(shape)} of ${layout.name}`);
  }
  return { layout, shape, elements, offset };
}

/** The tensors where they lie, each inside the file and none over another. */
function placed(
  raw: readonly [string, RawTensor][],
  { dataStart, alignment, fileSize, place }: { dataStart: number; alignment: number; fileSize: number; place: string },
): Map<string, GgufTensorInfo> {
  let end = dataStart;
  const tensors = new Map<string, GgufTensorInfo>();
  for (const [name, { layout, shape, elements, offset }] of [...raw].sort(([, a], [, b]) => a.offset - b.offset)) {
    const storedBytes = (elements / layout.blockElements) * layout.blockBytes;
    const byteOffset = dataStart + offset;
    if (offset % alignment !== 0) throw corrupt(place, `tensor ${shown(name)} is not aligned to ${alignment} bytes`);
    if (byteOffset < end) throw corrupt(place, `tensor ${shown(name)} overlaps the one before it`);
    end = byteOffset + storedBytes;
    if (end > fileSize) {
      throw new HubError(
        'TRUNCATED_FILE',
        `${place}: tensor ${shown(name)} ends at byte ${end}, but the file has ${fileSize}. Fetch it again.`,
        { place, value: fileSize },
      );
    }
    const { dtype, name: storedAs } = layout;
    const byteLength = layout.dequantize === undefined ? storedBytes : 4 * elements;
    tensors.set(name, { dtype, shape, byteLength, storedAs, byteOffset, storedBytes });
  }
  return tensors;
}

function corrupt(place: string, problem: string): HubError {
  return new HubError('CORRUPT_FILE', `${place} is not a valid GGUF file: ${problem}. Fetch it again.`, { place });
}
