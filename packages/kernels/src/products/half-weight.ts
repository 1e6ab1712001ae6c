import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch, makeOutput } from '../webgpu/dispatch';
import { MATRIX_EXTENSIONS, MATRIX_TYPES, times } from '../webgpu/subgroup-matrix';
import { shaderVariants, spread, WORKGROUP_INDEX, WORKGROUP_PARAMETERS } from '../webgpu/shader';
import { u32 } from '../webgpu/uniforms';
import { absmaxArrays, absmaxBindings, type Packed4bitInfos } from '../four-bit/wgsl';
import { sizeOf, type Packed4bitAttributes } from '../four-bit/types';
import { DEQUANTIZE } from './matrix-shader';

/** Words of eight codes that a thread of a workgroup of 256 dequantises. */
const WORDS = 4;
export const HALF_WEIGHT_THREADS = 256;

export type HalfWeightConstants = Readonly<{ nested: boolean; blockShift: number; nestedShift: number }>;

export function halfWeightConstants({ blocksize, nestedBlocksize }: Packed4bitAttributes): HalfWeightConstants {
  const nested = nestedBlocksize > 0;
  return { nested, blockShift: Math.log2(blocksize), nestedShift: nested ? Math.log2(nestedBlocksize) : 0 };
}

/** Constants where no 4-bit weight is read. */
export const NO_WEIGHT: HalfWeightConstants = { nested: false, blockShift: 0, nestedShift: 0 };

/** Workgroups that dequantise so many weights. */
export const halfWeightGroups = (size: number): number => Math.ceil(size / 8 / WORDS / HALF_WEIGHT_THREADS);

/** The tensors that `halfWeightDeclarations` binds, the result first. */
export const halfWeightBindings = (weight: TensorInfo, inputs: Packed4bitInfos): TensorInfo[] => [
  weight,
  inputs.packed!,
  inputs.code!,
  ...absmaxBindings(inputs),
];

/**
 * WGSL of those tensors and of `halfWeights(group, words, thread)`, with which a workgroup of 256 dequantises its part of
 * `words` words to f16: spare threads repeat the last word. Needs MATRIX_TYPES.
 *
 * @param next the next free binding
 */
export function halfWeightDeclarations(
  { nested, blockShift, nestedShift }: HalfWeightConstants,
  next: () => number,
): string {
  const declare = (text: string): string => `@group(0) @binding(${next()}) var<storage, ${text};`;
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
${[declare('read_write> weight: array<vec4u>'), ...['packed: array<u32>', 'code: array<f32>', ...absmaxArrays(nested)].map((text) => declare(`read> ${text}`))].join('\n')}
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
  let binding = 0;
  const declarations = halfWeightDeclarations(constants, () => binding++);
  return /* wgsl */ `
${MATRIX_EXTENSIONS}
struct Uniforms { words: u32 }
${MATRIX_TYPES}
${declarations}
@group(0) @binding(${binding}) var<uniform> uniforms: Uniforms;
@compute @workgroup_size(${HALF_WEIGHT_THREADS})
fn main(${WORKGROUP_PARAMETERS}) { halfWeights(${WORKGROUP_INDEX}, uniforms.words, lane); }`;
});

/** A place for W [N, K] in f16: int32 [N K / 2]. */
export const makeHalfWeight = (backend: WebGPUBackend, { shape }: Packed4bitAttributes): TensorInfo =>
  makeOutput(backend, [sizeOf(shape) / 2], 'int32');

/** W [N, K] in f16; the caller disposes of it. */
export function halfWeight(
  backend: WebGPUBackend,
  inputs: Packed4bitInfos,
  attributes: Packed4bitAttributes,
): TensorInfo {
  const size = sizeOf(attributes.shape);
  const weight = makeHalfWeight(backend, attributes);
  dispatch(backend, {
    ...halfWeightShader(halfWeightConstants(attributes)),
    bindings: halfWeightBindings(weight, inputs),
    uniforms: [u32(size / 8)],
    workgroups: spread(halfWeightGroups(size)),
  });
  return weight;
}
