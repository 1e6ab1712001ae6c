import { quantTypeBounds, type QuantType } from '../../formats/codes';
import { blockAbsmax, MIN_ABSMAX } from '../../blocks/quantize';
import type { Quantize4bitAttributes } from './types';

/** A typed array quantised to 4 bits in blocks. */
export interface Packed4bitArray {
  /** Two codes a byte, [ceil(size / 2)]. */
  readonly packed: Uint8Array;
  /** One a block. */
  readonly absmax: Float32Array;
}

/**
 * `quantize4bit` on the host's memory, with the same bytes: a look-up and one comparison a value.
 *
 * @throws KernelError NON_FINITE
 */
export function quantize4bitArray(
  values: Float32Array,
  { quantType, blocksize }: Quantize4bitAttributes,
): Packed4bitArray {
  const cells = cellsOf(quantType);
  const absmax = blockAbsmax(values, blocksize);
  // Whole int32 elements, so that a tensor can be made of them without a copy.
  const packed = new Uint8Array(Math.ceil(values.length / 8) * 4).subarray(0, Math.ceil(values.length / 2));
  const wholeBlocks = Math.floor(values.length / blocksize);
  for (let block = 0; block < wholeBlocks; block++) {
    const reciprocal = Math.fround(1 / Math.max(absmax[block]!, MIN_ABSMAX));
    packBlock(values, block * blocksize, (block + 1) * blocksize, reciprocal, cells, packed);
  }
  if (wholeBlocks < absmax.length) {
    const divisor = Math.max(absmax[wholeBlocks]!, MIN_ABSMAX);
    absmax[wholeBlocks] = divisor;
    packTail(values, wholeBlocks * blocksize, divisor, cells, packed);
  }
  return { packed, absmax };
}

/**
 * The range -1..1 cut into cells so small that each has one bound between codes at most. A scaled value's code is
 * `above` of its cell where it lies strictly above `bound`, else `below`.
 */
interface Cells {
  readonly bound: Float32Array;
  readonly below: Uint8Array;
  readonly above: Uint8Array;
}

/** Cells from -1 to 0: the closest bounds, FP4's around zero, are 1/384 apart. */
const HALF = 2048;

function cellOf(scaled: number): number {
  return ((scaled + 1) * HALF) | 0;
}

function buildCells(quantType: QuantType): Cells {
  const { bounds, order } = quantTypeBounds(quantType);
  // One cell for 1 itself; scaled values a rounding beyond ±1 fall into the outer cells.
  const count = 2 * HALF + 1;
  const cells = {
    bound: new Float32Array(count).fill(Infinity),
    below: new Uint8Array(count),
    above: new Uint8Array(count),
  };
  for (let cell = 0; cell < count; cell++) {
    // A bound at 1 (INT4's unused code) is never passed: values are clamped to 1.
    const inside = bounds.find((bound) => cellOf(bound) === cell && bound < 1);
    const passed = bounds.filter((bound) => cellOf(bound) < cell).length;
    cells.below[cell] = order[passed]!;
    cells.above[cell] = order[passed + (inside === undefined ? 0 : 1)]!;
    if (inside !== undefined) cells.bound[cell] = inside;
  }
  return cells;
}

const cellsByType = new Map<QuantType, Cells>();

function cellsOf(quantType: QuantType): Cells {
  let cells = cellsByType.get(quantType);
  if (cells === undefined) {
    cells = buildCells(quantType);
    cellsByType.set(quantType, cells);
  }
  return cells;
}

function packBlock(
  values: Float32Array,
  start: number,
  end: number,
  reciprocal: number,
  { bound, below, above }: Cells,
  packed: Uint8Array,
): void {
  for (let i = start; i < end; i += 2) {
    const even = Math.fround(values[i]! * reciprocal);
    const odd = Math.fround(values[i + 1]! * reciprocal);
    const evenCell = ((even + 1) * HALF) | 0;
    const oddCell = ((odd + 1) * HALF) | 0;
    const high = even > bound[evenCell]! ? above[evenCell]! : below[evenCell]!;
    const low = odd > bound[oddCell]! ? above[oddCell]! : below[oddCell]!;
    packed[i >> 1] = (high << 4) | low;
  }
}

function packTail(values: Float32Array, start: number, divisor: number, cells: Cells, packed: Uint8Array): void {
  const codeAt = (i: number): number => {
    const scaled = i < values.length ? Math.fround(values[i]! / divisor) : 0;
    const cell = cellOf(scaled);
    return scaled > cells.bound[cell]! ? cells.above[cell]! : cells.below[cell]!;
  };
  for (let i = start; i < values.length; i += 2) packed[i >> 1] = (codeAt(i) << 4) | codeAt(i + 1);
}
