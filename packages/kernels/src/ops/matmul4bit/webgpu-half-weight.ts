import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch, makeOutput } from '../../webgpu/dispatch';
import { MATRIX_EXTENSIONS, MATRIX_TYPES } from '../../webgpu/subgroup-matrix';
import { shaderVariants, spread, WORKGROUP_INDEX, WORKGROUP_PARAMETERS } from '../../webgpu/shader';
import { u32 } from '../../webgpu/uniforms';
import { absmaxBindings, type Packed4bitInfos } from '../dequantize4bit/wgsl';
import type { Matmul4bitAttributes } from './types';
import { DEQUANTIZE } from './webgpu-subgroup-matrix';

const WORKGROUP_SIZE = 256;

/**
 * W in f16, as the product's tiles hold it, for products of so many rows that every row of tiles would dequantise it
 * again. A thread a word of eight codes; the last workgroup's spare threads repeat the last word.
 */
export const halfWeightShader = shaderVariants(
  'weight to float16',
  ({ nested, blockShift, nestedShift }: { nested: boolean; blockShift: number; nestedShift: number }) => /* wgsl */ `
${MATRIX_EXTENSIONS}
struct Uniforms { words: u32 }
@group(0) @binding(0) var<storage, read> packed: array<u32>;
@group(0) @binding(1) var<storage, read> code: array<f32>;
@group(0) @binding(2) var<storage, read_write> weight: array<vec4u>;
${
  nested
    ? /* wgsl */ `@group(0) @binding(3) var<storage, read> absmax: array<u32>;
@group(0) @binding(4) var<storage, read> nestedAbsmax: array<f32>;
@group(0) @binding(5) var<storage, read> nestedCode: array<f32>;
@group(0) @binding(6) var<storage, read> nestedOffset: array<f32>;`
    : '@group(0) @binding(3) var<storage, read> absmax: array<f32>;'
}
@group(0) @binding(${nested ? 7 : 4}) var<uniform> uniforms: Uniforms;
${MATRIX_TYPES}
${DEQUANTIZE}
@compute @workgroup_size(${WORKGROUP_SIZE})
fn main(${WORKGROUP_PARAMETERS}) {
  let i = min((${WORKGROUP_INDEX}) * ${WORKGROUP_SIZE}u + lane, uniforms.words - 1u);
  let level = code[lane & 15u];
  let block = (i * 8u) >> ${blockShift}u;
  let word = packed[i];
  ${
    nested
      ? 'let scale = fma(nestedCode[(absmax[block >> 2u] >> ((block & 3u) * 8u)) & 255u], nestedAbsmax[block >> ' +
        `${nestedShift}u], nestedOffset[0]);`
      : 'let scale = absmax[block];'
  }
  weight[i] = dequantize(word, scale, level);
}`,
);

/** W [N, K] in f16, int32 [N K / 2]; the caller disposes of it. */
export function halfWeight(
  backend: WebGPUBackend,
  inputs: Packed4bitInfos,
  { shape, blocksize, nestedBlocksize }: Matmul4bitAttributes,
): TensorInfo {
  const size = shape[0] * shape[1];
  const nested = nestedBlocksize > 0;
  const weight = makeOutput(backend, [size / 2], 'int32');
  dispatch(backend, {
    ...halfWeightShader({
      nested,
      blockShift: Math.log2(blocksize),
      nestedShift: nested ? Math.log2(nestedBlocksize) : 0,
    }),
    bindings: [inputs.packed!, inputs.code!, weight, ...absmaxBindings(inputs)],
    uniforms: [u32(size / 8)],
    workgroups: spread(Math.ceil(size / 8 / WORKGROUP_SIZE)),
  });
  return weight;
}
