import { RANDOM_BUFFER } from '../../webgpu/philox';
import type { InnerShaderConstants } from './types';

/** Uniforms of the inner pass' dropout. */
export const INNER_DROPOUT = { threshold: 'u32', site: 'u32', keepScale: 'f32' } as const;

/**
 * Buffers of the inner pass.
 *
 * @param element what the inner values are bound as
 */
export function innerBuffers<Element extends 'f32' | 'vec4f'>(
  { dropout, writes, half }: Pick<InnerShaderConstants, 'dropout' | 'writes' | 'half'>,
  element: Element,
) {
  const keeps = dropout && writes !== 'dropped';
  return {
    x: 'read array<vec4f>',
    factor: 'read array<vec4f>',
    inner: `write array<${element}>`,
    keepBits: keeps ? 'write array<u32>' : undefined,
    written: writes === 'nothing' ? undefined : half ? 'write array<vec4u>' : 'write array<vec4f>',
    random: dropout ? RANDOM_BUFFER : undefined,
  } as const;
}
