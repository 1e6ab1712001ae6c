import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { WebgpuKernel } from '../../engine/op';
import { KernelError } from '../../errors';
import { dropoutNumbers } from '../../random/dropout-stream';
import { dispatch, makeOutput, type Dispatch } from '../../webgpu/dispatch';
import type { BufferTypes } from '../../webgpu/layout';
import {
  headSizeOf,
  type AttentionAttributes,
  type AttentionBackwardInputs,
  type AttentionInputs,
  type AttentionOutputs,
} from './types';
import { hardwareOf } from '../../webgpu/hardware';
import { hasSubgroupMatrices } from '../../webgpu/capabilities';
import { FRAGMENT } from '../../webgpu/subgroup-matrix';
import { LOOP_ROWS, type MatrixTileConstants } from './matrix-wgsl';
import { backwardWorkgroupBytes, keyGradientShader, queryGradientShader } from './webgpu-backward';
import { forwardShader, forwardWorkgroupBytes } from './webgpu-forward';
import { matrixBackwardBytes, matrixKeyGradientShader, matrixQueryGradientShader } from './webgpu-matrix-backward';
import { matrixForwardBytes, matrixForwardShader } from './webgpu-matrix-forward';
import type { AttentionUniforms, TileConstants } from './wgsl';

/** Tiles to choose from, own rows by looped rows, best first: the first whose workgroup memory the device has. */
const TILES = [
  [32, 32],
  [32, 16],
  [16, 16],
  [16, 8],
  [8, 8],
  [4, 8],
] as const;

function chooseTile(
  { device }: WebGPUBackend,
  { headSize, keyStride, rate }: { headSize: number; keyStride: number; rate: number },
  workgroupBytes: (constants: Pick<TileConstants, 'headSize' | 'ownRows' | 'loopRows'>) => number,
): TileConstants {
  const { maxComputeWorkgroupStorageSize: available } = device.limits;
  for (const [ownRows, loopRows] of TILES) {
    if (workgroupBytes({ headSize, ownRows, loopRows }) > available) continue;
    const dropout = rate === 0 ? 'none' : keyStride % 4 === 0 ? 'grouped' : 'single';
    return { headSize, ownRows, loopRows, dropout };
  }
  throw new KernelError(
    'BAD_SHAPE',
    `attention: heads of ${headSize} do not fit the ${available} bytes of workgroup memory this device has; use another backend`,
  );
}

/** A run's uniforms, and a workgroup for each tile of own rows, their head and sequence, and `more` sequences. */
function runOf(
  { ownRows }: TileConstants,
  { rows, sequences, attributes, tiles, more }: AttentionRun,
): Pick<Dispatch<AttentionUniforms, BufferTypes>, 'uniforms' | 'workgroups'> {
  const { heads, keyValueHeads, keyStride, scale, rate, site } = attributes;
  const { threshold, keepScale } = dropoutNumbers(rate);
  const count = sequences.shape[0]!;
  return {
    uniforms: { rows, heads, keyHeads: keyValueHeads, sequences: count, keyStride, scale, threshold, keepScale, site },
    workgroups: [Math.ceil(Math.min(keyStride, rows) / ownRows), tiles, count + more],
  };
}

interface AttentionRun {
  readonly rows: number;
  readonly sequences: TensorInfo;
  readonly attributes: AttentionAttributes;
  /** Heads of the own rows. */
  readonly tiles: number;
  readonly more: number;
}

/** Own rows of the variants on subgroup matrices, in subgroups of 16: the most whose workgroup memory the device has. */
const SUBGROUPS = [4, 2, 1] as const;

/** The variant on subgroup matrices for these heads, where the device has them and the memory. */
function chooseMatrixTile(
  { device }: WebGPUBackend,
  { headSize, keyStride, rate }: { headSize: number; keyStride: number; rate: number },
  workgroupBytes: (constants: Pick<MatrixTileConstants, 'headSize' | 'subgroups'>) => number,
): MatrixTileConstants | undefined {
  // A Philox block serves eight neighbouring keys only where every row's numbering begins at a multiple of eight.
  if (headSize % FRAGMENT !== 0 || (rate > 0 && keyStride % 8 !== 0)) return undefined;
  if (!hasSubgroupMatrices(hardwareOf(device))) return undefined;
  const { maxComputeWorkgroupStorageSize: available } = device.limits;
  const subgroups = SUBGROUPS.find((count) => workgroupBytes({ headSize, subgroups: count }) <= available);
  if (subgroups === undefined) return undefined;
  const ownRows = subgroups * FRAGMENT;
  return { headSize, ownRows, loopRows: LOOP_ROWS, subgroups, dropout: rate === 0 ? 'none' : 'grouped' };
}

export const webgpuAttention: WebgpuKernel<AttentionInputs, AttentionAttributes, AttentionOutputs> = (
  { qkv, sequences, random },
  attributes,
  backend,
) => {
  const [rows = 0, width = 0] = qkv.shape;
  const { heads, keyStride, rate } = attributes;
  const headSize = headSizeOf(width, attributes);
  const shape = { headSize, keyStride, rate };
  const matrixTile = chooseMatrixTile(backend, shape, matrixForwardBytes);
  const y = makeOutput(backend, [rows, heads * headSize]);
  const lse = makeOutput(backend, [rows, heads]);
  const tile = matrixTile ?? chooseTile(backend, shape, forwardWorkgroupBytes);
  dispatch(backend, {
    shader: matrixTile === undefined ? forwardShader(tile) : matrixForwardShader(matrixTile),
    buffers: { qkv, sequences, y, lse, random },
    ...runOf(tile, { rows, sequences, attributes, tiles: heads, more: 1 }),
  });
  return { y, lse };
};

export const webgpuAttentionBackward: WebgpuKernel<AttentionBackwardInputs, AttentionAttributes> = (
  { dy, qkv, y, lse, sequences, random },
  attributes,
  backend,
) => {
  const [rows = 0, width = 0] = qkv.shape;
  const { heads, keyValueHeads, keyStride, rate } = attributes;
  const headSize = headSizeOf(width, attributes);
  const shape = { headSize, keyStride, rate };
  const matrixTile = chooseMatrixTile(backend, shape, matrixBackwardBytes);
  const tile = matrixTile ?? chooseTile(backend, shape, backwardWorkgroupBytes);
  const dqkv = makeOutput(backend, [rows, width]);
  const deltas = makeOutput(backend, [rows, heads]);
  dispatch(backend, {
    shader: matrixTile === undefined ? queryGradientShader(tile) : matrixQueryGradientShader(matrixTile),
    buffers: { qkv, sequences, dy, y, lse, dqkv, deltas, random },
    ...runOf(tile, { rows, sequences, attributes, tiles: heads, more: 1 }),
  });
  dispatch(backend, {
    shader: matrixTile === undefined ? keyGradientShader(tile) : matrixKeyGradientShader(matrixTile),
    buffers: { qkv, sequences, dy, lse, deltas, dqkv, random },
    ...runOf(tile, { rows, sequences, attributes, tiles: keyValueHeads, more: 0 }),
  });
  backend.disposeData(deltas.dataId);
  return dqkv;
};
