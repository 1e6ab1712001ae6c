import { quantizeBlockwiseReference } from '../blockwise8bit/reference';
import type { Nearest } from '../blockwise8bit';
import { createDynamicMap } from '../../tables';
import { adamwReference, type AdamwReferenceStep } from '../adamw/reference';
import { BLOCKSIZE } from './types';

/** Codes and absmax of one moment. */
export interface QuantizedMoment {
  readonly codes: ArrayLike<number>;
  readonly absmax: ArrayLike<number>;
}

export interface Adamw8bitReferenceResult {
  readonly parameter: Float64Array;
  readonly m: QuantizedMoment;
  readonly v: QuantizedMoment;
}

/** One step from quantised moments in float64: dequantise, AdamW, quantise (Dettmers et al. 2022, section 2). */
export function adamw8bitReference(
  parameter: ArrayLike<number>,
  gradient: ArrayLike<number>,
  m: QuantizedMoment,
  v: QuantizedMoment,
  step: AdamwReferenceStep,
  nearest: Nearest,
): Adamw8bitReferenceResult {
  const [signed, unsigned] = [createDynamicMap({ signed: true }), createDynamicMap({ signed: false })];
  const values = ({ codes, absmax }: QuantizedMoment, levels: Float32Array): Float64Array =>
    Float64Array.from(codes, (code, i) => levels[code]! * absmax[Math.floor(i / BLOCKSIZE)]!);
  const next = adamwReference(parameter, gradient, values(m, signed), values(v, unsigned), step);
  for (let i = 0; i < gradient.length; i++) {
    if (Number.isFinite(gradient[i]!)) continue;
    next.parameter[i] = parameter[i]!;
    next.m[i] = 0;
    next.v[i] = 0;
  }
  return {
    parameter: next.parameter,
    m: quantizeBlockwiseReference(Float32Array.from(next.m), signed, BLOCKSIZE, nearest),
    v: quantizeBlockwiseReference(Float32Array.from(next.v), unsigned, BLOCKSIZE, nearest),
  };
}
