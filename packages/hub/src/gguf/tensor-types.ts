import { type SafetensorsDtype } from '../dtype/dtypes';
import { dequantizeQ4_0, dequantizeQ4_1, dequantizeQ4K, dequantizeQ6K, dequantizeQ8_0 } from './dequantize';

/** The types of tensors that are read; the 8- and 4-bit ones come out as float32. */
export type GgufTensorType = 'F32' | 'F16' | 'BF16' | 'Q8_0' | 'Q4_0' | 'Q4_1' | 'Q4_K' | 'Q6_K';

/** How a type lies in a file: blocks of so many elements in so many bytes (gguf/constants.py, GGML_QUANT_SIZES). */
export interface GgufLayout {
  readonly name: GgufTensorType;
  readonly blockElements: number;
  readonly blockBytes: number;
  /** What a read gives. */
  readonly dtype: SafetensorsDtype;
  /** Blocks to float32, one after the other; none where the bytes are the values already. */
  readonly dequantize?: (blocks: Uint8Array, values: Float32Array) => void;
}

const plain = (name: 'F32' | 'F16' | 'BF16', blockBytes: number): GgufLayout => ({
  name,
  blockElements: 1,
  blockBytes,
  dtype: name,
});

const quantised = (
  name: GgufTensorType,
  [blockElements, blockBytes]: readonly [number, number],
  dequantize: NonNullable<GgufLayout['dequantize']>,
): GgufLayout => ({ name, blockElements, blockBytes, dtype: 'F32', dequantize });

/** By the number that files have (gguf/constants.py, GGMLQuantizationType). */
export const ggufLayouts: ReadonlyMap<number, GgufLayout> = new Map([
  [0, plain('F32', 4)],
  [1, plain('F16', 2)],
  [2, quantised('Q4_0', [32, 18], dequantizeQ4_0)],
  [3, quantised('Q4_1', [32, 20], dequantizeQ4_1)],
  [8, quantised('Q8_0', [32, 34], dequantizeQ8_0)],
  [12, quantised('Q4_K', [256, 144], dequantizeQ4K)],
  [14, quantised('Q6_K', [256, 210], dequantizeQ6K)],
  [30, plain('BF16', 2)],
]);

/** Types that are known by name and not read. */
export const otherTypes: ReadonlyMap<number, string> = new Map(
  Object.entries({
    ...{ 6: 'Q5_0', 7: 'Q5_1', 9: 'Q8_1', 10: 'Q2_K', 11: 'Q3_K', 13: 'Q5_K', 15: 'Q8_K', 16: 'IQ2_XXS', 17: 'IQ2_XS' },
    ...{ 18: 'IQ3_XXS', 19: 'IQ1_S', 20: 'IQ4_NL', 21: 'IQ3_S', 22: 'IQ2_S', 23: 'IQ4_XS', 24: 'I8', 25: 'I16' },
    ...{ 26: 'I32', 27: 'I64', 28: 'F64', 29: 'IQ1_M', 34: 'TQ1_0', 35: 'TQ2_0', 39: 'MXFP4' },
  }).map(([number, name]) => [Number(number), name]),
);
