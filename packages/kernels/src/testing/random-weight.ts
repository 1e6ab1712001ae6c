import { tensor1d } from '@tensorflow/tfjs-core';
import { bytesToInt32 } from '../ops/blockwise8bit';
import { denestReference, dequantize4bitReference } from '../ops/dequantize4bit/reference';
import type { QuantizedTensor } from '../ops/dequantize4bit';
import { createDynamicMap } from '../formats/dynamic-map';
import { codeTable, type QuantType } from '../formats/codes';
import { integers, normals } from './random-data';

export interface TestWeight {
  readonly weight: QuantizedTensor;
  readonly dense: Float64Array;
  readonly dispose: () => void;
}

export interface WeightCase {
  readonly N: number;
  readonly K: number;
  readonly blocksize: number;
  readonly quantType: QuantType;
  readonly nested: boolean;
}

/** A weight of random codes; nothing here is quantised by a kernel. */
export function randomWeight({ N, K, blocksize, quantType, nested }: WeightCase): TestWeight {
  const size = N * K;
  const blocks = Math.ceil(size / blocksize);
  const bytes = (values: Int32Array) => tensor1d(bytesToInt32(Uint8Array.from(values)), 'int32');
  const packed = integers(1, Math.ceil(size / 2), 256);
  const code = codeTable(quantType);
  const levels = createDynamicMap({ signed: true });
  const absmaxCodes = integers(2, blocks, 256);
  const nestedAbsmax = normals(3, Math.ceil(blocks / 256), 0.1).map(Math.abs);
  const absmax = nested
    ? denestReference(absmaxCodes, nestedAbsmax, levels, 0.5)
    : normals(4, blocks).map((value) => Math.abs(value));
  const state = {
    absmax: nested ? bytes(absmaxCodes) : tensor1d(absmax),
    code: tensor1d(code),
    shape: [N, K],
    blocksize,
    quantType,
    offset: nested ? tensor1d([0.5]) : undefined,
    state2: nested ? { absmax: tensor1d(nestedAbsmax), code: tensor1d(levels), blocksize: 256 } : undefined,
  };
  const weight = { packed: bytes(packed), state };
  return {
    weight,
    dense: dequantize4bitReference(packed, absmax, code, blocksize, size),
    dispose: () => {
      const { absmax: scales, code: table, offset, state2 } = state;
      for (const held of [weight.packed, scales, table, offset, state2?.absmax, state2?.code]) held?.dispose();
    },
  };
}
