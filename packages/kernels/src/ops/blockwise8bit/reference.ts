import { blockwiseBounds, gridStep, type Nearest } from '../../formats/nearest';

export interface BlockwiseReference {
  readonly codes: Uint8Array;
  readonly absmax: Float32Array;
}

/**
 * Block-wise 8-bit quantisation, one value at a time: absmax of the block, the value times its reciprocal in float32,
 * the nearest level. `code` ascends. The float32 roundings are part of the format: bitsandbytes
 * backends/default/ops.py and csrc/cpu_ops.cpp.
 */
export function quantizeBlockwiseReference(
  x: ArrayLike<number>,
  code: ArrayLike<number>,
  blocksize: number,
  nearest: Nearest,
): BlockwiseReference {
  const { fround } = Math;
  const bounds = blockwiseBounds(code, nearest);
  const codes = new Uint8Array(x.length);
  const absmax = new Float32Array(Math.ceil(x.length / blocksize));
  for (let i = 0; i < x.length; i++) {
    const block = Math.floor(i / blocksize);
    absmax[block] = Math.max(absmax[block]!, Math.abs(x[i]!));
  }
  for (let i = 0; i < x.length; i++) {
    const scale = absmax[Math.floor(i / blocksize)]!;
    if (nearest === 'grid' && scale === 0) continue;
    const reciprocal = fround(1 / Math.max(scale, fround(1e-38)));
    const scaled = Math.min(1, Math.max(-1, fround(x[i]! * reciprocal)));
    const searched = nearest === 'grid' ? gridStep(scaled) : scaled;
    codes[i] = bounds.reduce((below, bound) => below + Number(bound < searched), 0);
  }
  return { codes, absmax };
}

export function dequantizeBlockwiseReference(
  codes: ArrayLike<number>,
  absmax: ArrayLike<number>,
  code: ArrayLike<number>,
  blocksize: number,
): Float64Array {
  return Float64Array.from(codes, (index, i) => code[index]! * absmax[Math.floor(i / blocksize)]!);
}
