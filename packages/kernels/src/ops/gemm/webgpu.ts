// Idea: tiles in registers, factors by strides, so that one shader serves all four transposes.
// Cost: 2 m n k operations in float32; each factor is read once a tile of the other.

import type { WebgpuKernel } from '../../engine/op';
import { dispatch, makeOutput } from '../../webgpu/dispatch';
import { shaderVariants } from '../../webgpu/shader';
import { layout } from '../../webgpu/layout';
import { type GemmInputs } from './types';
import { gemmSizes, type GemmAttributes } from '../../products/types';
import { chooseTiledVariant } from '../../products/variants';
import { isThin, thinGemm } from '../../products/thin';
import { loadTile, tiledProduct, tileGrid, type TileConstants } from '../../products/tiles';

/** Transposes are strides, not variants: one shader compiles for all four products of a layer. */
const shader = shaderVariants('gemm', ({ bias, ...tile }: TileConstants & { readonly bias: boolean }) => {
  const io = layout({
    uniforms: {
      ...{ rows: 'u32', columns: 'u32', depth: 'u32', alpha: 'f32' },
      // Values from one row (column) to the next, and from one step of the depth to the next.
      ...{ leftSide: 'u32', leftDepth: 'u32', rightSide: 'u32', rightDepth: 'u32' },
    } as const,
    buffers: {
      a: 'read array<f32>',
      b: 'read array<f32>',
      product: 'write array<f32>',
      bias: bias ? 'read array<f32>' : undefined,
    },
  });
  const code = tiledProduct({
    ...tile,
    declarations: /* wgsl */ `
${io.wgsl}

fn leftValue(row: u32, depth: u32) -> f32 {
  if (row >= uniforms.rows || depth >= uniforms.depth) { return 0.0; }
  return a[row * uniforms.leftSide + depth * uniforms.leftDepth];
}

fn rightValue(column: u32, depth: u32) -> f32 {
  if (column >= uniforms.columns || depth >= uniforms.depth) { return 0.0; }
  return b[column * uniforms.rightSide + depth * uniforms.rightDepth];
}
`,
    loadLeft: loadTile('left', 'uniforms.leftDepth == 1u', 'leftValue'),
    loadRight: loadTile('right', 'uniforms.rightDepth == 1u', 'rightValue'),
    result: `uniforms.alpha * value${bias ? ' + bias[column]' : ''}`,
  });
  return { layout: io, code };
});

export const webgpuGemm: WebgpuKernel<GemmInputs, GemmAttributes> = ({ a, b, bias }, attributes, backend) => {
  const { M, N, K } = gemmSizes(a.shape, b.shape, attributes);
  const { transposeA, transposeB, alpha } = attributes;
  if (bias === undefined && isThin({ M, N, K })) return thinGemm(backend, { a, b }, { M, N, K }, attributes);
  const { rowsPerThread, columnsPerThread } = chooseTiledVariant({ rows: M, columns: N });
  const product = makeOutput(backend, [M, N]);
  dispatch(backend, {
    shader: shader({ bias: bias !== undefined, rowsPerThread, columnsPerThread }),
    buffers: { a, b, product, bias },
    uniforms: {
      ...{ rows: M, columns: N, depth: K, alpha },
      ...(transposeA ? { leftSide: 1, leftDepth: M } : { leftSide: K, leftDepth: 1 }),
      ...(transposeB ? { rightSide: K, rightDepth: 1 } : { rightSide: 1, rightDepth: N }),
    },
    workgroups: tileGrid(M, N, { rowsPerThread, columnsPerThread }),
  });
  return product;
};
