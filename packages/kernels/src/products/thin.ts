// Idea: with few columns or rows the depth is shared by many workgroups.
// Cost: 2 m n k operations in float32; the tall factor is read once.

import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch, makeOutput } from '../webgpu/dispatch';
import { shaderVariants } from '../webgpu/shader';
import { layout } from '../webgpu/layout';
import type { GemmAttributes } from './types';
import { addSplits } from './split-sum';

/** Values along the thin side that a thread sums, all of LoRA's usual rank. */
const THIN = 16;
/** Values along the long side of a workgroup, one a thread. */
const LONG = 64;
/** Depth of the thin factor that lies in workgroup memory at a time. */
const CHUNK = 32;
/** Workgroups of two subgroups that keep a large GPU busy and hide its memory's latency. */
const BUSY = 1024;
/** Widest thin side: beyond it the square tiles of the plain shader waste less. */
const WIDEST = 32;

/**
 * A product with one short side, such as LoRA's x·Aᵀ, dy·B, dyᵀ·(x·Aᵀ) and (dy·B)ᵀ·x. A thread keeps 16 sums of one
 * row (or column) and reads its long factor straight from memory, once; the thin factor comes from workgroup memory,
 * where all threads read the same word at a time. The depth is shared by as many workgroups as the GPU needs to be busy.
 * In float32 throughout, so that small gradients keep their digits. On an H200 the plain shader, which had 6 workgroups
 * for 384 rows, took 167 us a product of this kind.
 */
const shader = shaderVariants('gemm thin', ({ vector }: { vector: boolean }) => {
  const io = layout({
    uniforms: {
      long: 'u32',
      thin: 'u32',
      depth: 'u32',
      alpha: 'f32',
      // Values from one step to the next along each factor's side and its depth, and along the product's sides.
      longSide: 'u32',
      longDepth: 'u32',
      thinSide: 'u32',
      thinDepth: 'u32',
      productLong: 'u32',
      productThin: 'u32',
      // Depth that one workgroup sums.
      share: 'u32',
    },
    buffers: {
      longFactor: `read array<${vector ? 'vec4f' : 'f32'}>`,
      thinFactor: 'read array<f32>',
      product: 'write array<f32>',
    },
  });
  return {
    layout: io,
    code: /* wgsl */ `
${io.wgsl}
var<workgroup> chunk: array<vec4f, ${(CHUNK * THIN) / 4}>;
${
  vector
    ? `fn longValues(side: u32, depth: u32) -> vec4f {
  if (side >= uniforms.long || depth >= uniforms.depth) { return vec4f(); }
  return longFactor[(side * uniforms.longSide + depth) / 4u];
}`
    : `fn longValue(side: u32, depth: u32) -> f32 {
  if (side >= uniforms.long || depth >= uniforms.depth) { return 0.0; }
  return longFactor[side * uniforms.longSide + depth * uniforms.longDepth];
}
fn longValues(side: u32, depth: u32) -> vec4f {
  return vec4f(longValue(side, depth), longValue(side, depth + 1u), longValue(side, depth + 2u), longValue(side, depth + 3u));
}`
}
@compute @workgroup_size(${LONG})
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
  let side = workgroup.x * ${LONG}u + lane;
  let thin0 = workgroup.y * ${THIN}u;
  let start = workgroup.z * uniforms.share;
  let end = min(start + uniforms.share, uniforms.depth);
  let alongDepth = uniforms.thinDepth == 1u;
  ${[0, 1, 2, 3].map((t) => `var sum${t} = vec4f();`).join(' ')}
  for (var depth0 = start; depth0 < end; depth0 += ${CHUNK}u) {
    for (var i = lane; i < ${CHUNK * THIN}u; i += ${LONG}u) {
      let d = select(i / ${THIN}u, i % ${CHUNK}u, alongDepth);
      let t = select(i % ${THIN}u, i / ${CHUNK}u, alongDepth);
      var value = 0.0;
      if (depth0 + d < end && thin0 + t < uniforms.thin) {
        value = thinFactor[(thin0 + t) * uniforms.thinSide + (depth0 + d) * uniforms.thinDepth];
      }
      chunk[d * ${THIN / 4}u + t / 4u][t % 4u] = value;
    }
    workgroupBarrier();
    for (var d = 0u; d < ${CHUNK}u; d += 4u) {
      let values = longValues(side, depth0 + d);
      ${[0, 1, 2, 3].map((e) => [0, 1, 2, 3].map((t) => `sum${t} += values[${e}] * chunk[(d + ${e}u) * ${THIN / 4}u + ${t}u];`).join(' ')).join('\n      ')}
    }
    workgroupBarrier();
  }
  if (side >= uniforms.long) { return; }
  let first = workgroup.z * uniforms.long * uniforms.thin + side * uniforms.productLong;
  ${[0, 1, 2, 3]
    .flatMap((t) => [0, 1, 2, 3].map((e) => ({ at: 4 * t + e, value: `sum${t}[${e}]` })))
    .map(
      ({ at, value }) =>
        `if (thin0 + ${at}u < uniforms.thin) { product[first + (thin0 + ${at}u) * uniforms.productThin] = uniforms.alpha * ${value}; }`,
    )
    .join('\n  ')}
}`,
  };
});

interface Sizes {
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

/** Whether a product without bias has one short side and enough depth to share. */
export function isThin({ M, N, K }: Sizes): boolean {
  return Math.min(M, N) <= WIDEST && Math.max(M, N) >= LONG && K >= 2 * CHUNK && (M * N) % 4 === 0;
}

/** Workgroups that share the depth and what each sums, a multiple of the chunk. */
export function shareDepth(tiles: number, depth: number): { splits: number; share: number } {
  const wanted = Math.max(1, Math.min(Math.floor(BUSY / tiles), Math.floor(depth / (2 * CHUNK))));
  const share = Math.ceil(depth / wanted / CHUNK) * CHUNK;
  return { splits: Math.ceil(depth / share), share };
}

export function thinGemm(
  backend: WebGPUBackend,
  { a, b }: { readonly a: TensorInfo; readonly b: TensorInfo },
  { M, N, K }: Sizes,
  { transposeA, transposeB, alpha }: GemmAttributes,
): TensorInfo {
  const left = { tensor: a, size: M, side: transposeA ? 1 : K, depth: transposeA ? M : 1, product: N };
  const right = { tensor: b, size: N, side: transposeB ? K : 1, depth: transposeB ? 1 : N, product: 1 };
  const [long, thin] = M >= N ? [left, right] : [right, left];
  const tiles = [Math.ceil(long.size / LONG), Math.ceil(thin.size / THIN)] as const;
  const { splits, share } = shareDepth(tiles[0] * tiles[1], K);
  const product = makeOutput(backend, [M, N]);
  const target = splits > 1 ? makeOutput(backend, [splits, M, N]) : product;
  dispatch(backend, {
    shader: shader({ vector: long.depth === 1 && K % 4 === 0 }),
    buffers: { longFactor: long.tensor, thinFactor: thin.tensor, product: target },
    uniforms: {
      long: long.size,
      thin: thin.size,
      depth: K,
      alpha,
      longSide: long.side,
      longDepth: long.depth,
      thinSide: thin.side,
      thinDepth: thin.depth,
      productLong: long.product,
      productThin: thin.product,
      share,
    },
    workgroups: [...tiles, splits],
  });
  if (splits > 1) {
    addSplits(backend, { partial: target, product });
    backend.disposeData(target.dataId);
  }
  return product;
}
