import { tensor, tensor1d, type Tensor } from '@tensorflow/tfjs-core';
import { hostValues } from '../../tfjs/host-values';
import type { AdamwAttributes } from '../adamw';
import { stepScalars, type StepScalars } from '../../optimizers/step-values';
import { bytesToInt32, int32ToBytes, quantizeBlockwiseArray } from '../blockwise8bit';
import {
  adamw8bitLayout,
  BLOCKSIZE,
  entryOf,
  NEAREST,
  type Adamw8bitArithmetic,
  type Adamw8bitAttributes,
  type Adamw8bitInputs,
  type Adamw8bitOutputs,
  type EntryOf,
} from './types';

/**
 * On the host, each step rounded to float32: tfjs has no search in a table that all its backends share. Returns the new
 * parameter and state of each entry; nothing for a step that is left out.
 */
export function composeAdamw8bit(
  inputs: Adamw8bitInputs,
  { entries, arithmetic }: Adamw8bitAttributes,
): Adamw8bitOutputs {
  const tables = hostValues(inputs.tables) as Float32Array;
  const step = hostValues(inputs.step);
  const outputs: Adamw8bitOutputs = {};
  entries.forEach((attributes, index) => {
    const entry = entryOf(inputs as Record<string, Tensor>, index);
    const scalars = stepScalars(step, attributes);
    if (!scalars.apply) return;
    const { parameter, state } = updated(entry, attributes, scalars, { tables, arithmetic });
    outputs[`parameter${index}`] = parameter;
    outputs[`state${index}`] = state;
  });
  return outputs;
}

function updated(
  entry: EntryOf<Tensor>,
  { beta1, beta2, epsilon, weightDecay }: AdamwAttributes,
  scalars: StepScalars,
  { tables, arithmetic }: { readonly tables: Float32Array; readonly arithmetic: Adamw8bitArithmetic },
): Pick<EntryOf<Tensor>, 'parameter' | 'state'> {
  const { fround } = Math;
  const { shape, size } = entry.parameter;
  const parameter = hostValues(entry.parameter).slice();
  const gradient = hostValues(entry.gradient);
  const [signed, unsigned] = [tables.subarray(0, 256), tables.subarray(256, 512)];
  const layout = adamw8bitLayout(size);
  const state = (hostValues(entry.state) as Int32Array).slice();
  const m = dequantized(state, layout.m, layout.mAbsmax, signed, size);
  const v = dequantized(state, layout.v, layout.vAbsmax, unsigned, size);
  const [weight1, weight2, b1, b2] = [1 - beta1, 1 - beta2, beta1, beta2].map(fround) as [
    number,
    number,
    number,
    number,
  ];
  const decay = fround(1 - scalars.learningRate * weightDecay);
  const [before, after] = arithmetic === 'cuda' ? [1, decay] : [decay, 1];
  const stepSize = fround(-scalars.learningRate / scalars.correction1);
  for (let i = 0; i < size; i++) {
    const scaled = fround(gradient[i]! * scalars.gradientScale);
    if (!Number.isFinite(scaled)) {
      m[i] = 0;
      v[i] = 0;
      continue;
    }
    const first = fround(fround(m[i]! * b1) + fround(weight1 * scaled));
    const second = fround(fround(v[i]! * b2) + fround(fround(weight2 * scaled) * scaled));
    const denominator = fround(fround(fround(Math.sqrt(second)) / scalars.rootCorrection2) + fround(epsilon));
    const stepped = fround(fround(parameter[i]! * before) + fround(fround(stepSize * first) / denominator));
    parameter[i] = stepped * after;
    m[i] = first;
    v[i] = second;
  }
  const nearest = NEAREST[arithmetic];
  const newM = quantizeBlockwiseArray(m, { code: signed, blocksize: BLOCKSIZE, nearest });
  if (arithmetic === 'cuda') {
    const zero = signed.indexOf(0);
    newM.quantized.forEach((code, i) => {
      if (code === zero && m[i]! < 0) newM.quantized[i] = zero - 1;
    });
  }
  const newV = quantizeBlockwiseArray(v, { code: unsigned, blocksize: BLOCKSIZE, nearest });
  state.set(bytesToInt32(newM.quantized), layout.m);
  state.set(bytesToInt32(newV.quantized), layout.v);
  state.set(bitsOf(newM.absmax), layout.mAbsmax);
  state.set(bitsOf(newV.absmax), layout.vAbsmax);
  return { parameter: tensor(parameter, shape), state: tensor1d(state, 'int32') };
}

const bitsOf = (values: Float32Array): Int32Array => new Int32Array(Float32Array.from(values).buffer);

function dequantized(
  state: Int32Array,
  codesAt: number,
  absmaxAt: number,
  levels: Float32Array,
  size: number,
): Float32Array {
  const bytes = int32ToBytes(state.subarray(codesAt), size);
  const scales = new Float32Array(state.buffer, state.byteOffset + 4 * absmaxAt, Math.ceil(size / BLOCKSIZE));
  return Float32Array.from(bytes, (code, i) => levels[code]! * scales[Math.floor(i / BLOCKSIZE)]!);
}
