import { quantizeBlockwiseReference } from '../blockwise8bit/reference';
import { createDynamicMap } from '../../formats/dynamic-map';
import { adamwReference, type AdamwReferenceStep } from '../adamw/reference';
import { BLOCKSIZE, NEAREST, type Adamw8bitArithmetic } from './types';

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

/**
 * One step from quantised moments in float64: dequantise, AdamW, quantise (Dettmers et al. 2022, section 2). As CUDA
 * takes it, the decay multiplies what the step has made, and a negative m never gets the code of zero.
 */
export function adamw8bitReference(
  parameter: ArrayLike<number>,
  gradient: ArrayLike<number>,
  m: QuantizedMoment,
  v: QuantizedMoment,
  step: AdamwReferenceStep,
  arithmetic: Adamw8bitArithmetic,
): Adamw8bitReferenceResult {
  const nearest = NEAREST[arithmetic];
  const decay = 1 - step.learningRate * step.weightDecay;
  const [signed, unsigned] = [createDynamicMap({ signed: true }), createDynamicMap({ signed: false })];
  const values = ({ codes, absmax }: QuantizedMoment, levels: Float32Array): Float64Array =>
    Float64Array.from(codes, (code, i) => levels[code]! * absmax[Math.floor(i / BLOCKSIZE)]!);
  const undecayed = arithmetic === 'cuda' ? { ...step, weightDecay: 0 } : step;
  const next = adamwReference(parameter, gradient, values(m, signed), values(v, unsigned), undecayed);
  for (let i = 0; i < gradient.length; i++) {
    if (Number.isFinite(gradient[i]!)) {
      if (arithmetic === 'cuda') next.parameter[i]! *= decay;
      continue;
    }
    next.parameter[i] = parameter[i]!;
    next.m[i] = 0;
    next.v[i] = 0;
  }
  const newM = quantizeBlockwiseReference(Float32Array.from(next.m), signed, BLOCKSIZE, nearest);
  const zero = signed.indexOf(0);
  return {
    parameter: next.parameter,
    m: {
      ...newM,
      codes: newM.codes.map((code, i) => (arithmetic === 'cuda' && code === zero && next.m[i]! < 0 ? zero - 1 : code)),
    },
    v: quantizeBlockwiseReference(Float32Array.from(next.v), unsigned, BLOCKSIZE, nearest),
  };
}
