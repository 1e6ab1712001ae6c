// Idea: without subgroup matrices codes are dequantised on their way into tiles; few rows share a word of codes, many a wide tile.
// Cost: 2 m n k operations in float32; 0.5 bytes a weight read once a tile of rows, x once a tile of columns.

import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { InfoOf } from '../engine/tensors';
import type { Packed4bitInputs } from '../four-bit/types';
import type { WebgpuKernel } from '../engine/op';
import { dispatch, makeOutput } from '../webgpu/dispatch';
import { shaderVariants, spread, WORKGROUP_INDEX, WORKGROUP_PARAMETERS } from '../webgpu/shader';
import { layout } from '../webgpu/layout';
import {
  ABSMAX_UNIFORMS,
  absmaxBuffers,
  absmaxFunction,
  absmaxTensors,
  absmaxUniforms,
  NIBBLE,
  weightBufferCount,
} from '../four-bit/wgsl';
import { chooseTiledVariant, chooseWideVariant, type WideVariant } from './variants';
import { loadTile, tiledProduct, tileGrid, type TileConstants } from './tiles';
import { productSizes, type Matmul4bitAttributes, type Matmul4bitInputs } from './types';
import { matrixMatmul4bit, matrixVariant } from './matrix-product';
import { addSplits } from './split-sum';
import { wideTileLayout, wideTileProduct, type WideTileConstants } from './wide-tiles';

type Constants = TileConstants & Readonly<Record<'nested' | 'bias' | 'words', boolean>>;

/**
 * The tile of W is dequantised on its way into workgroup memory, eight weights at a time where rows of W are whole
 * words; the absmax is read, and where it is nested decoded, once a word. No dense weight is ever written. Which way W
 * is taken is a matter of strides, so that one shader compiles for a layer's forward and backward products.
 */
const shader = shaderVariants('matmul4bit', ({ nested, bias, words, ...tile }: Constants) => {
  const io = layout({
    uniforms: {
      ...{ rows: 'u32', columns: 'u32', depth: 'u32', ...ABSMAX_UNIFORMS },
      // Weights from one column of the product to the next, and from one step of the depth to the next.
      ...{ weightColumn: 'u32', weightDepth: 'u32' },
    } as const,
    buffers: {
      x: 'read array<f32>',
      packed: 'read array<u32>',
      code: 'read array<f32>',
      product: 'write array<f32>',
      ...absmaxBuffers(nested ? 'nested' : 'plain'),
      bias: bias ? 'read array<f32>' : undefined,
    },
  });
  const code = tiledProduct({
    ...tile,
    declarations: /* wgsl */ `
${io.wgsl}
${absmaxFunction(nested)}
var<workgroup> levels: array<f32, 16>;
${NIBBLE}
fn leftValue(row: u32, depth: u32) -> f32 {
  if (row >= uniforms.rows || depth >= uniforms.depth) { return 0.0; }
  return x[row * uniforms.depth + depth];
}
// Number of a weight in the flattened W.
fn elementOf(column: u32, depth: u32) -> u32 { return column * uniforms.weightColumn + depth * uniforms.weightDepth; }
fn rightValue(column: u32, depth: u32) -> f32 {
  if (column >= uniforms.columns || depth >= uniforms.depth) { return 0.0; }
  let element = elementOf(column, depth);
  return levels[nibble(packed[element >> 3u], element & 7u)] * absmaxOf(element >> uniforms.blockShift);
}
`,
    prologue: `if (lane < 16u) { levels[lane] = code[lane]; }
  workgroupBarrier();`,
    loadLeft: loadTile('left', 'true', 'leftValue'),
    loadRight: words ? LOAD_WORDS : loadTile('right', 'uniforms.weightDepth == 1u', 'rightValue'),
    result: `value${bias ? ' + bias[column]' : ''}`,
  });
  return { layout: io, code };
});

/** Statements that fill the right tile a word of W at a time: eight steps of the depth, or eight columns. */
const LOAD_WORDS = /* wgsl */ `for (var i = lane; i < TILE_COLUMNS * TILE_DEPTH / 8u; i += THREADS) {
      let alongDepth = uniforms.weightDepth == 1u;
      let side = select((i % (TILE_COLUMNS / 8u)) * 8u, i % TILE_COLUMNS, alongDepth);
      let depth = select(i / (TILE_COLUMNS / 8u), (i / TILE_COLUMNS) * 8u, alongDepth);
      let step = select(1u, RIGHT_PITCH, alongDepth);
      var word = 0u;
      var scale = 0.0;
      if (column0 + side < uniforms.columns && depth0 + depth < uniforms.depth) {
        let element = elementOf(column0 + side, depth0 + depth);
        word = packed[element >> 3u];
        scale = absmaxOf(element >> uniforms.blockShift);
      }
      for (var e = 0u; e < 8u; e++) {
        right[depth * RIGHT_PITCH + side + e * step] = levels[nibble(word, e)] * scale;
      }
    }`;

const wideShader = shaderVariants('matmul4bit wide', (constants: WideTileConstants) => {
  const io = wideTileLayout(constants.nested);
  return { layout: io, code: wideTileProduct(constants, io.wgsl) };
});

const biasShader = shaderVariants('matmul4bit bias', ({ workgroupSize }: { workgroupSize: number }) => {
  const io = layout({
    uniforms: { size: 'u32', columns: 'u32' },
    buffers: { product: 'write array<f32>', bias: 'read array<f32>' },
  });
  return {
    layout: io,
    code: /* wgsl */ `
${io.wgsl}
@compute @workgroup_size(${workgroupSize})
fn main(${WORKGROUP_PARAMETERS}) {
  let i = (${WORKGROUP_INDEX}) * ${workgroupSize}u + lane;
  if (i < uniforms.size) { product[i] += bias[i % uniforms.columns]; }
}`,
  };
});

function addBias(backend: WebGPUBackend, product: TensorInfo, bias: TensorInfo, rows: number, columns: number): void {
  const workgroupSize = 256;
  dispatch(backend, {
    shader: biasShader({ workgroupSize }),
    buffers: { product, bias },
    uniforms: { size: rows * columns, columns },
    workgroups: spread(Math.ceil((rows * columns) / workgroupSize)),
  });
}

type PlainInputs = InfoOf<Packed4bitInputs> & { readonly x: TensorInfo };

/**
 * x·Wᵀ or x·W in plain WGSL as partial products [splits, rows, columns], whose sum it is.
 */
export function plainMatmul4bit(
  backend: WebGPUBackend,
  inputs: PlainInputs,
  attributes: Matmul4bitAttributes,
): TensorInfo {
  const rows = inputs.x.shape[0] ?? 0;
  const sizes = { rows, ...productSizes(attributes) };
  const wide = chooseWideVariant(sizes, attributes.shape[1]);
  if (wide !== undefined) return wideMatmul4bit(backend, inputs, attributes, wide);
  const product = tiledMatmul4bit(backend, { ...inputs, bias: undefined }, attributes);
  return { ...product, shape: [1, rows, sizes.columns] };
}

function wideMatmul4bit(
  backend: WebGPUBackend,
  inputs: PlainInputs,
  attributes: Matmul4bitAttributes,
  { tile, splits }: WideVariant,
): TensorInfo {
  const { transposed, shape } = attributes;
  const { x, packed, code } = inputs;
  const rows = x.shape[0] ?? 0;
  const { columns, depth } = productSizes(attributes);
  const nested = inputs.nestedAbsmax !== undefined;
  const partial = makeOutput(backend, [splits, rows, columns]);
  dispatch(backend, {
    shader: wideShader({ ...tile, transposed, nested }),
    buffers: { x, packed: packed, code: code, product: partial, ...absmaxTensors(inputs) },
    uniforms: { rows, columns, depth, share: depth / splits, weightRow: shape[1], ...absmaxUniforms(attributes) },
    workgroups: [Math.ceil(columns / tile.tileColumns), Math.ceil(rows / tile.tileRows), splits],
  });
  return partial;
}

export const webgpuMatmul4bit: WebgpuKernel<Matmul4bitInputs, Matmul4bitAttributes> = (inputs, attributes, backend) => {
  const rows = inputs.x.shape[0] ?? 0;
  const variant = matrixVariant(backend, { rows }, attributes);
  if (variant !== undefined) return matrixMatmul4bit(backend, inputs, attributes, variant);
  const sizes = { rows, ...productSizes(attributes) };
  const wide = chooseWideVariant(sizes, attributes.shape[1]);
  if (wide === undefined) return tiledMatmul4bit(backend, inputs, attributes);
  const { columns } = sizes;
  const partial = wideMatmul4bit(backend, inputs, attributes, wide);
  const { bias } = inputs;
  if (wide.splits === 1) {
    if (bias !== undefined) addBias(backend, partial, bias, rows, columns);
    return { ...partial, shape: [rows, columns] };
  }
  const product = makeOutput(backend, [rows, columns]);
  addSplits(backend, { partial, product, additions: { bias } });
  backend.disposeData(partial.dataId);
  return product;
};

function tiledMatmul4bit(
  backend: WebGPUBackend,
  inputs: InfoOf<Packed4bitInputs> & { readonly x: TensorInfo; readonly bias: TensorInfo | undefined },
  attributes: Matmul4bitAttributes,
): TensorInfo {
  const { x, packed, code, bias } = inputs;
  const [, K] = attributes.shape;
  const rows = x.shape[0] ?? 0;
  const { columns, depth } = productSizes(attributes);
  const nested = inputs.nestedAbsmax !== undefined;
  const { limits } = backend.device;
  const { rowsPerThread, columnsPerThread } = chooseTiledVariant({ rows, columns });
  const product = makeOutput(backend, [rows, columns]);
  // WebGPU guarantees eight storage buffers, which the nested absmax uses up; nearly every device has more.
  const fused = bias !== undefined && 2 + weightBufferCount(nested) < limits.maxStorageBuffersPerShaderStage;
  dispatch(backend, {
    shader: shader({ nested, bias: fused, words: K % 8 === 0, rowsPerThread, columnsPerThread }),
    buffers: { x, packed: packed, code: code, product, ...absmaxTensors(inputs), bias: fused ? bias : undefined },
    uniforms: {
      ...{ rows, columns, depth, ...absmaxUniforms(attributes) },
      ...(attributes.transposed ? { weightColumn: 1, weightDepth: K } : { weightColumn: K, weightDepth: 1 }),
    },
    workgroups: tileGrid(rows, columns, { rowsPerThread, columnsPerThread }),
  });
  if (bias !== undefined && !fused) addBias(backend, product, bias, rows, columns);
  return product;
}
