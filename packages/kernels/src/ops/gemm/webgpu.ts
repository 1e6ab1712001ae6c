import type { OpDefinition } from '../../engine/op';
import { dispatch, makeOutput } from '../../webgpu/dispatch';
import { shaderVariants } from '../../webgpu/shader';
import { f32, u32 } from '../../webgpu/uniforms';
import { type GemmInputs } from './types';
import { gemmSizes, type GemmAttributes } from '../../products/types';
import { chooseTiledVariant } from '../../products/variants';
import { isThin, thinGemm } from '../../products/thin';
import { loadTile, tiledProduct, tileGrid, type TileConstants } from '../../products/tiles';

/** Transposes are strides, not variants: one shader compiles for all four products of a layer. */
const shader = shaderVariants('gemm', ({ bias, ...tile }: TileConstants & { readonly bias: boolean }) =>
  tiledProduct({
    ...tile,
    declarations: /* wgsl */ `
struct Uniforms {
  rows: u32, columns: u32, depth: u32, alpha: f32,
  // Values from one row (column) to the next, and from one step of the depth to the next.
  leftSide: u32, leftDepth: u32, rightSide: u32, rightDepth: u32,
}
@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> product: array<f32>;
${bias ? '@group(0) @binding(3) var<storage, read> bias: array<f32>;' : ''}
@group(0) @binding(${bias ? 4 : 3}) var<uniform> uniforms: Uniforms;

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
  }),
);

export const webgpuGemm: NonNullable<OpDefinition<GemmInputs, GemmAttributes>['webgpu']> = (
  { a, b, bias },
  attributes,
  backend,
) => {
  const { M, N, K } = gemmSizes(a.shape, b.shape, attributes);
  const { transposeA, transposeB, alpha } = attributes;
  if (bias === undefined && isThin({ M, N, K })) return [thinGemm(backend, { a, b }, { M, N, K }, attributes)];
  const { rowsPerThread, columnsPerThread } = chooseTiledVariant({ rows: M, columns: N });
  const product = makeOutput(backend, [M, N]);
  dispatch(backend, {
    ...shader({ bias: bias !== undefined, rowsPerThread, columnsPerThread }),
    bindings: [a, b, product, ...(bias === undefined ? [] : [bias])],
    uniforms: [
      ...[u32(M), u32(N), u32(K), f32(alpha)],
      ...(transposeA ? [u32(1), u32(M)] : [u32(K), u32(1)]),
      ...(transposeB ? [u32(K), u32(1)] : [u32(1), u32(N)]),
    ],
    workgroups: tileGrid(M, N, { rowsPerThread, columnsPerThread }),
  });
  return [product];
};
