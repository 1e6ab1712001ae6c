// Idea: x and W in float16 tiles, sums in float32 on subgroup matrices; all that is done to single values happens on their way out.
// Cost: 2 m n k operations; x is read once a tile of columns, W, as codes or in float16, once a tile of rows, 4 bytes a value written.
// Measured: 187 to 242 TFLOP/s at 8,192 rows and 84 to 109 at 384, between widths of 1,024 and 3,072 or 4,096, on an H200
// (bench/results/matmul4bit-tiles.json, the best tile of each shape with x in float16).

import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { InfoOf } from '../engine/tensors';
import type { Packed4bitInputs } from '../four-bit/types';
import { dispatch, makeOutput } from '../webgpu/dispatch';
import { hardwareOf } from '../webgpu/hardware';
import { shaderVariants } from '../webgpu/shader';
import { chooseMatrixVariant, type MatrixProductCase, type MatrixVariant } from './variants';
import { absmaxTensors } from '../four-bit/wgsl';
import { additionTensors, additionConstants, additionUniforms, type ProductAdditions } from './additions';
import { addSplits } from './split-sum';
import { productSizes, type Matmul4bitAttributes } from './types';
import { halfWeight, halfWeightConstants, NO_HALF_WEIGHT, NO_WEIGHT } from './half-weight';
import { subgroupMatrixProduct, type MatrixConstants } from './matrix-shader';

const forwardShader = shaderVariants('matmul4bit matrix', subgroupMatrixProduct);
const transposedShader = shaderVariants('matmul4bit matrix transposed', subgroupMatrixProduct);

export type MatrixInputs = InfoOf<Packed4bitInputs> & {
  /** [rows, depth] float32; or its float16, gradients times SLOPE_SCALE, int32 [rows, depth / 2] */
  readonly x: TensorInfo;
  readonly bias: TensorInfo | undefined;
  /** W in float16 where a pass before has dequantised it, int32 [N K / 2] */
  readonly halfWeight?: TensorInfo | undefined;
};

/** Longest run of codes that a thread reads under one absmax. */
const RUN = 32;

/** The variant on subgroup matrices that this product can run on, if any. */
export function matrixVariant(
  backend: WebGPUBackend,
  given: Pick<MatrixProductCase, 'rows' | 'rank' | 'halves'>,
  attributes: Matmul4bitAttributes,
): MatrixVariant | undefined {
  const { shape, blocksize, nestedBlocksize, transposed } = attributes;
  // Runs of codes lie in one block, and a nested block is a shift away.
  if (blocksize < RUN || !Number.isInteger(Math.log2(Math.max(1, nestedBlocksize))) || shape[1] % RUN !== 0) {
    return undefined;
  }
  return chooseMatrixVariant(hardwareOf(backend.device), { ...given, ...productSizes(attributes), transposed });
}

/** The product on subgroup matrices; with a split depth, partial products and their sum. */
export function matrixMatmul4bit(
  backend: WebGPUBackend,
  inputs: MatrixInputs,
  attributes: Matmul4bitAttributes,
  { tile, splits, halfWeight: prepared }: MatrixVariant,
  additions: ProductAdditions = { bias: inputs.bias },
): TensorInfo {
  const { x } = inputs;
  const { transposed, shape } = attributes;
  const rows = x.shape[0] ?? 0;
  const { columns, depth } = productSizes(attributes);
  const split = splits > 1;
  const product = makeOutput(backend, [rows, columns]);
  const target = split ? makeOutput(backend, [splits, rows, columns]) : product;
  // Partial products are whole only once they are summed.
  const inPass: ProductAdditions = split ? {} : additions;
  const constants: MatrixConstants = {
    ...tile,
    transposed,
    left: x.dtype === 'int32' ? 'float16' : 'float32',
    right: prepared ? 'float16' : 'codes',
    ...(prepared ? NO_WEIGHT : halfWeightConstants(attributes)),
    bias: inPass.bias !== undefined,
    split,
    ...additionConstants(inPass),
  };
  const half = prepared ? (inputs.halfWeight ?? halfWeight(backend, inputs, attributes)) : undefined;
  const codes = prepared ? NO_HALF_WEIGHT : { packed: inputs.packed, code: inputs.code, ...absmaxTensors(inputs) };
  dispatch(backend, {
    shader: (transposed ? transposedShader : forwardShader)(constants),
    buffers: {
      ...{ x, product: target, ...codes, weight: half },
      bias: inPass.bias,
      ...additionTensors(inPass),
    },
    uniforms: {
      ...{ rows, columns, depth, share: depth / splits, weightRow: shape[1] },
      ...additionUniforms(inPass),
    },
    workgroups: [columns / tile.tileColumns, Math.ceil(rows / tile.tileRows), splits],
  });
  if (half !== undefined && inputs.halfWeight === undefined) backend.disposeData(half.dataId);
  if (!split) return product;
  addSplits(backend, { partial: target, product, additions, transposed });
  backend.disposeData(target.dataId);
  return product;
}
