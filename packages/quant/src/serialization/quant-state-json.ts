import { BLOCKSIZES, QUANT_TYPES, type QuantType } from '@qlora-js/kernels';
import type { QuantError } from '../errors';
import { WEIGHT_DTYPES, type WeightDtype } from '../types';

/** What the JSON tensor of a 4-bit weight says, checked. */
export interface StoredQuantState {
  readonly quantType: QuantType;
  readonly blocksize: number;
  readonly dtype: WeightDtype;
  readonly shape: readonly number[];
  readonly nested?: { readonly blocksize: number; readonly offset: number };
}

/** A state is some 170 bytes; more is no state. */
const MAX_BYTES = 65_536;
/** Values of a tensor: 2 ** 40 in 4 bits are 512 GiB. */
const MAX_SIZE = 2 ** 40;

/**
 * Parses the JSON of bitsandbytes functional.py QuantState.as_dict(packed=True).
 *
 * @param namedType the 4-bit type in the tensor's name
 * @param bad makes the error of a problem
 */
export function parseQuantState(
  bytes: Uint8Array,
  namedType: string,
  bad: (problem: string) => QuantError,
): StoredQuantState {
  const items = parseObject(bytes, bad);
  const field = <Value>(key: string, fits: (value: unknown) => value is Value, wanted: string): Value => {
    const value = items.get(key);
    if (!fits(value)) throw bad(`says ${key} ${JSON.stringify(value)} in its quant state, but ${wanted} is needed`);
    return value;
  };
  const quantType = field('quant_type', isOneOf(QUANT_TYPES), QUANT_TYPES.join(', '));
  if (quantType !== namedType) throw bad(`says quant_type "${quantType}" in a quant state named '${namedType}'`);
  const common = {
    quantType,
    blocksize: field('blocksize', isOneOf(BLOCKSIZES), BLOCKSIZES.join(', ')),
    dtype: field('dtype', isOneOf(WEIGHT_DTYPES), WEIGHT_DTYPES.join(', ')),
    shape: field('shape', isShape, 'a list of sizes'),
  };
  if (!items.has('nested_blocksize')) return common;
  return {
    ...common,
    nested: {
      blocksize: field('nested_blocksize', isBlocksize, 'a whole number from 1'),
      offset: field('nested_offset', isFinite32, 'a float32'),
    },
  };
}

/** A Map, so that no key of a file reaches a prototype. */
function parseObject(bytes: Uint8Array, bad: (problem: string) => QuantError): Map<string, unknown> {
  if (bytes.length > MAX_BYTES) throw bad(`has a quant state of ${bytes.length} bytes; ${MAX_BYTES} are the most`);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw bad(`has a quant state that is no JSON (${String(error)})`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw bad('has a quant state that is no JSON object');
  return new Map(Object.entries(value));
}

function isOneOf<Value>(allowed: readonly Value[]): (value: unknown) => value is Value {
  return (value): value is Value => (allowed as readonly unknown[]).includes(value);
}

function isShape(value: unknown): value is readonly number[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > 8) return false;
  let size = 1;
  for (const extent of value as unknown[]) {
    if (typeof extent !== 'number' || !Number.isInteger(extent) || extent < 1) return false;
    size *= extent;
    if (size > MAX_SIZE) return false;
  }
  return true;
}

function isBlocksize(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MAX_SIZE;
}

function isFinite32(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(Math.fround(value));
}
