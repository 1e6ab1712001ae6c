import type { TensorInfo } from '@tensorflow/tfjs-core';
import { u32 } from '../webgpu/uniforms';
import type { Packed4bitAttributes, Packed4bitInputs } from './types';

export type Packed4bitInfos = { readonly [Input in keyof Packed4bitInputs]: TensorInfo | undefined };

/** WGSL: the eight codes of a word of packed bytes, in the order of the elements (high nibbles first). */
export const NIBBLE = /* wgsl */ `
fn nibble(word: u32, element: u32) -> u32 {
  return (word >> ((element >> 1u) * 8u + 4u - (element & 1u) * 4u)) & 15u;
}
`;

/** WGSL: fields of `uniforms` that `absmaxOf` and a block's number come from; see `absmaxUniforms`. */
export const ABSMAX_FIELDS = 'blockShift: u32, nestedBlocksize: u32, zero: u32,';

/** The words of ABSMAX_FIELDS. Block sizes are powers of two, so that an element's block is a shift away. */
export function absmaxUniforms({ blocksize, nestedBlocksize }: Packed4bitAttributes): number[] {
  return [u32(Math.log2(blocksize)), u32(nestedBlocksize), u32(0)];
}

/** The tensors that `absmaxWgsl` binds, in its order. */
export function absmaxBindings({ absmax, nestedAbsmax, nestedCode, offset }: Packed4bitInfos): TensorInfo[] {
  return [absmax, nestedAbsmax, nestedCode, offset].filter((tensor) => tensor !== undefined);
}

/** WGSL: names and types of those tensors. */
export const absmaxArrays = (nested: boolean): string[] =>
  nested
    ? ['absmax: array<u32>', 'nestedAbsmax: array<f32>', 'nestedCode: array<f32>', 'nestedOffset: array<f32>']
    : ['absmax: array<f32>'];

/**
 * WGSL of the absmax tensors and of `absmaxOf(block)`. The nested form is decoded on the fly with bitsandbytes' two
 * roundings: xor with a zero that only the uniforms know keeps compilers from fusing product and sum.
 */
export function absmaxWgsl(nested: boolean, binding: number): string {
  const declarations = absmaxArrays(nested)
    .map((array, index) => `@group(0) @binding(${binding + index}) var<storage, read> ${array};`)
    .join('\n');
  if (!nested) {
    return /* wgsl */ `
${declarations}
fn absmaxOf(block: u32) -> f32 { return absmax[block]; }
`;
  }
  return /* wgsl */ `
${declarations}
fn absmaxOf(block: u32) -> f32 {
  let code = (absmax[block >> 2u] >> ((block & 3u) * 8u)) & 255u;
  let centred = nestedCode[code] * nestedAbsmax[block / uniforms.nestedBlocksize];
  return bitcast<f32>(bitcast<u32>(centred) ^ uniforms.zero) + nestedOffset[0];
}
`;
}
