import type { InfoOf } from '../engine/tensors';
import type { BufferTensors, UniformValues } from '../webgpu/layout';
import type { Packed4bitAttributes, Packed4bitInputs } from './types';

/** WGSL: the eight codes of a word of packed bytes, in the order of the elements (high nibbles first). */
export const NIBBLE = /* wgsl */ `
fn nibble(word: u32, element: u32) -> u32 {
  return (word >> ((element >> 1u) * 8u + 4u - (element & 1u) * 4u)) & 15u;
}
`;

/** Uniforms that `absmaxOf` and a block's number come from. Block sizes are powers of two: an element's block is a shift away. */
export const ABSMAX_UNIFORMS = { blockShift: 'u32', nestedBlocksize: 'u32', zero: 'u32' } as const;

/** The values of ABSMAX_UNIFORMS. */
export function absmaxUniforms({
  blocksize,
  nestedBlocksize,
}: Packed4bitAttributes): UniformValues<typeof ABSMAX_UNIFORMS> {
  return { blockShift: Math.log2(blocksize), nestedBlocksize, zero: 0 };
}

/** Buffers of a weight's absmax; none where a shader reads no codes. */
export function absmaxBuffers(form: 'plain' | 'nested' | 'none') {
  const nested = form === 'nested' ? ('read array<f32>' as const) : undefined;
  const plain = form === 'plain' ? ('read array<f32>' as const) : undefined;
  return {
    absmax: form === 'nested' ? ('read array<u32>' as const) : plain,
    nestedAbsmax: nested,
    nestedCode: nested,
    nestedOffset: nested,
  };
}

/** The tensors of those buffers. */
export function absmaxTensors({
  absmax,
  nestedAbsmax,
  nestedCode,
  offset,
}: InfoOf<Packed4bitInputs>): BufferTensors<ReturnType<typeof absmaxBuffers>> {
  return { absmax, nestedAbsmax, nestedCode, nestedOffset: offset };
}

/** Storage buffers of a weight's codes, their table and their absmax. */
export const weightBufferCount = (nested: boolean): number => 2 + (nested ? 4 : 1);

/**
 * WGSL of `absmaxOf(block)`. The nested form is decoded on the fly with bitsandbytes' two roundings: xor with a zero that
 * only the uniforms know keeps compilers from fusing product and sum.
 */
export function absmaxFunction(nested: boolean): string {
  if (!nested) {
    return /* wgsl */ `
fn absmaxOf(block: u32) -> f32 { return absmax[block]; }
`;
  }
  return /* wgsl */ `
fn absmaxOf(block: u32) -> f32 {
  let code = (absmax[block >> 2u] >> ((block & 3u) * 8u)) & 255u;
  let centred = nestedCode[code] * nestedAbsmax[block / uniforms.nestedBlocksize];
  return bitcast<f32>(bitcast<u32>(centred) ^ uniforms.zero) + nestedOffset[0];
}
`;
}
