// Idea: W is dequantised once instead of in every tile of rows, and lives for one product.
// Cost: 0.5 bytes a weight and 1 byte or 4 a block read, 2 bytes a weight written.

import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { InfoOf } from '../engine/tensors';
import type { Packed4bitInputs } from '../four-bit/types';
import { dispatch, makeOutput } from '../webgpu/dispatch';
import { MATRIX_EXTENSIONS, MATRIX_TYPES, times } from '../webgpu/subgroup-matrix';
import { shaderVariants, spread, WORKGROUP_INDEX, WORKGROUP_PARAMETERS } from '../webgpu/shader';
import { layout, type BufferTensors } from '../webgpu/layout';
import { absmaxBuffers, absmaxTensors } from '../four-bit/wgsl';
import { sizeOf, type Packed4bitAttributes } from '../four-bit/types';
import { DEQUANTIZE } from './matrix-shader';

/** Words of eight codes that a thread of a workgroup of 256 dequantises. */
const WORDS = 4;
const HALF_WEIGHT_THREADS = 256;

export type HalfWeightConstants = Readonly<{ nested: boolean; blockShift: number; nestedShift: number }>;

export function halfWeightConstants({ blocksize, nestedBlocksize }: Packed4bitAttributes): HalfWeightConstants {
  const nested = nestedBlocksize > 0;
  return { nested, blockShift: Math.log2(blocksize), nestedShift: nested ? Math.log2(nestedBlocksize) : 0 };
}

/** Constants where no 4-bit weight is read. */
export const NO_WEIGHT: HalfWeightConstants = { nested: false, blockShift: 0, nestedShift: 0 };

/** Workgroups that dequantise so many weights. */
export const halfWeightGroups = (size: number): number => Math.ceil(size / 8 / WORDS / HALF_WEIGHT_THREADS);

/** Buffers of a weight and its float16, or none of them. */
export function halfWeightBuffers(form: 'plain' | 'nested' | 'none') {
  const there = form !== 'none';
  return {
    weight: there ? ('write array<vec4u>' as const) : undefined,
    packed: there ? ('read array<u32>' as const) : undefined,
    code: there ? ('read array<f32>' as const) : undefined,
    ...absmaxBuffers(form),
  };
}

/** No such tensors. */
export const NO_HALF_WEIGHT: BufferTensors<ReturnType<typeof halfWeightBuffers>> = {
  weight: undefined,
  packed: undefined,
  code: undefined,
  absmax: undefined,
  nestedAbsmax: undefined,
  nestedCode: undefined,
  nestedOffset: undefined,
};

/** The tensors of those buffers. */
export function halfWeightTensors(
  weight: TensorInfo,
  inputs: InfoOf<Packed4bitInputs>,
): BufferTensors<ReturnType<typeof halfWeightBuffers>> {
  return { weight, packed: inputs.packed, code: inputs.code, ...absmaxTensors(inputs) };
}

/**
 * WGSL of `halfWeights(group, words, thread)`, with which a workgroup of 256 dequantises its part of `words` words to
 * f16: spare threads repeat the last word. Needs MATRIX_TYPES.
 */
export function halfWeightFunction({ nested, blockShift, nestedShift }: HalfWeightConstants): string {
  const reads = times(
    WORDS,
    (w) => /* wgsl */ `
  let i${w} = min((group * ${WORDS}u + ${w}u) * ${HALF_WEIGHT_THREADS}u + thread, words - 1u);
  let block${w} = (i${w} * 8u) >> ${blockShift}u;
  let codes${w} = packed[i${w}];
  ${
    nested
      ? `let absmaxWord${w} = absmax[block${w} >> 2u]; let nested${w} = nestedAbsmax[block${w} >> ${nestedShift}u];`
      : `let scale${w} = absmax[block${w}];`
  }`,
  );
  const levels = times(WORDS, (w) => `let level${w} = nestedCode[(absmaxWord${w} >> ((block${w} & 3u) * 8u)) & 255u];`);
  const writes = times(
    WORDS,
    (w) =>
      `weight[i${w}] = dequantize(codes${w}, ${nested ? `fma(level${w}, nested${w}, nestedOffset[0])` : `scale${w}`}, level);`,
  );
  return /* wgsl */ `
${DEQUANTIZE}
fn halfWeights(group: u32, words: u32, thread: u32) {
  let level = code[thread & 15u];
  ${reads.join('')}
  ${nested ? levels.join('\n  ') : ''}
  ${writes.join('\n  ')}
}`;
}

/**
 * W in f16, as the product's tiles hold it, for products of so many rows that every row of tiles would dequantise it
 * again.
 */
export const halfWeightShader = shaderVariants('weight to float16', (constants: HalfWeightConstants) => {
  const io = layout({
    uniforms: { words: 'u32' },
    buffers: halfWeightBuffers(constants.nested ? 'nested' : 'plain'),
  });
  return {
    layout: io,
    joining: { beside: true },
    code: /* wgsl */ `
${MATRIX_EXTENSIONS}
${io.wgsl}
${MATRIX_TYPES}
${halfWeightFunction(constants)}
@compute @workgroup_size(${HALF_WEIGHT_THREADS})
fn main(${WORKGROUP_PARAMETERS}) { halfWeights(${WORKGROUP_INDEX}, uniforms.words, lane); }`,
  };
});

/** A place for W [N, K] in f16: int32 [N K / 2]. */
export const makeHalfWeight = (backend: WebGPUBackend, { shape }: Packed4bitAttributes): TensorInfo =>
  makeOutput(backend, [sizeOf(shape) / 2], 'int32');

/** W [N, K] in f16; the caller disposes of it. */
export function halfWeight(
  backend: WebGPUBackend,
  inputs: InfoOf<Packed4bitInputs>,
  attributes: Packed4bitAttributes,
): TensorInfo {
  const size = sizeOf(attributes.shape);
  const weight = makeHalfWeight(backend, attributes);
  dispatch(backend, {
    shader: halfWeightShader(halfWeightConstants(attributes)),
    buffers: halfWeightTensors(weight, inputs),
    uniforms: { words: size / 8 },
    workgroups: spread(halfWeightGroups(size)),
  });
  return weight;
}
