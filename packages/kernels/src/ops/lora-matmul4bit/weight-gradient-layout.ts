import { layout } from '../../webgpu/layout';

/** What the kernels of both of LoRA's weight gradients are given. */
export const weightGradientLayout = ({
  masked,
  halfSlope,
}: {
  readonly masked: boolean;
  readonly halfSlope: boolean;
}) =>
  layout({
    uniforms: {
      ...{ rows: 'u32', inputs: 'u32', outputs: 'u32', rank: 'u32', scaleA: 'f32', scaleB: 'f32' },
      // Rows that one workgroup sums, and workgroups along the columns of x.
      ...{ share: 'u32', inputBlocks: 'u32' },
    } as const,
    buffers: {
      x: 'read array<vec4f>',
      dy: halfSlope ? 'read array<vec4u>' : 'read array<vec4f>',
      inner: 'read array<vec4f>',
      dInner: 'read array<vec4f>',
      da: 'write array<f32>',
      db: 'write array<f32>',
      keepBits: masked ? 'read array<u32>' : undefined,
    },
  });
