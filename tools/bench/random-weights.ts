import { tensor1d, type Tensor1D } from '@tensorflow/tfjs-core';
import { float32ToFloat16 } from '@qlora-js/hub';
import { HalfTable, normalValues } from '@qlora-js/kernels';
import { Linear4bit, quantizeArray, toDevice, type QuantizedArrays } from '@qlora-js/quant';

let stream = 0;
/** Normal values of deviation 0.02, others at every call. */
export function normal(size: number): Float32Array {
  const values = normalValues(size, { seed: 7, stream: stream++ });
  return Float32Array.from(values, (value) => 0.02 * value);
}

/** Makes layers in NF4 under double quantisation: those of one shape have the same codes, each in memory of its own. */
export function linearLayers(): (inFeatures: number, outFeatures: number, bias?: Tensor1D) => Linear4bit {
  const quantised = new Map<string, QuantizedArrays>();
  return (inFeatures, outFeatures, bias) => {
    const key = `${inFeatures} ${outFeatures}`;
    let arrays = quantised.get(key);
    if (arrays === undefined) {
      arrays = quantizeArray(normal(inFeatures * outFeatures), [outFeatures, inFeatures], { doubleQuant: true });
      quantised.set(key, arrays);
    }
    return new Linear4bit(toDevice(arrays), bias);
  };
}

/** Values of a table: 64 rows of random ones, over and over. */
export function tableValues(rows: number, width: number): Float32Array {
  const row = normal(64 * width);
  const values = new Float32Array(rows * width);
  for (let i = 0; i < values.length; i++) values[i] = row[(i * 31) % row.length]!;
  return values;
}

/** A token embedding in float16. */
export const halfTable = (rows: number, width: number): HalfTable =>
  new HalfTable(float32ToFloat16(tableValues(rows, width)), [rows, width]);

/** A vector of one value. */
export const filled = (size: number, value: number): Tensor1D => tensor1d(new Float32Array(size).fill(value));
