import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { OpDefinition } from '../../engine/op';
import { KernelError } from '../../errors';
import { dropoutNumbers } from '../../random/dropout-stream';
import { dispatch, makeOutput } from '../../webgpu/dispatch';
import type { Shader } from '../../webgpu/shader';
import { f32, u32 } from '../../webgpu/uniforms';
import type { AttentionAttributes, AttentionBackwardInputs, AttentionInputs } from './types';
import { hardwareOf } from '../../webgpu/hardware';
import { hasSubgroupMatrices } from '../../webgpu/capabilities';
import { FRAGMENT } from '../../webgpu/subgroup-matrix';
import { LOOP_ROWS, type MatrixTileConstants } from './matrix-wgsl';
import { backwardWorkgroupBytes, keyGradientShader, queryGradientShader } from './webgpu-backward';
import { forwardShader, forwardWorkgroupBytes } from './webgpu-forward';
import { matrixBackwardBytes, matrixKeyGradientShader, matrixQueryGradientShader } from './webgpu-matrix-backward';
import { matrixForwardBytes, matrixForwardShader } from './webgpu-matrix-forward';
import type { TileConstants } from './wgsl';

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

/** One run of an attention kernel: a workgroup for each tile of own rows, head and sequence, and `more` sequences. */
function run(
  backend: WebGPUBackend,
  shader: Shader,
  { ownRows, dropout }: TileConstants,
  {
    sequences,
    random,
    rows,
    attributes,
    bindings,
    more,
  }: {
    sequences: TensorInfo;
    random: TensorInfo;
    rows: number;
    attributes: AttentionAttributes;
    bindings: readonly TensorInfo[];
    more: number;
  },
): void {
  const { heads, keyStride, scale, rate, site } = attributes;
  const { threshold, keepScale } = dropoutNumbers(rate);
  const count = sequences.shape[0]!;
  if (rows === 0) return;
  dispatch(backend, {
    ...shader,
    bindings: [...bindings, ...(dropout === 'none' ? [] : [random])],
    uniforms: [
      u32(rows),
      u32(heads),
      u32(count),
      u32(keyStride),
      f32(scale),
      u32(threshold),
      f32(keepScale),
      u32(site),
    ],
    workgroups: [Math.ceil(Math.min(keyStride, rows) / ownRows), heads, count + more],
  });
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

export const webgpuAttention: NonNullable<OpDefinition<AttentionInputs, AttentionAttributes>['webgpu']> = (
  { qkv, sequences, random },
  attributes,
  backend,
) => {
  const [rows = 0, width = 0] = qkv.shape;
  const { heads, keyStride, rate } = attributes;
  const headSize = width / 3 / heads;
  const shape = { headSize, keyStride, rate };
  const matrixTile = chooseMatrixTile(backend, shape, matrixForwardBytes);
  const y = makeOutput(backend, [rows, width / 3]);
  const lse = makeOutput(backend, [rows, heads]);
  const bindings = [qkv, sequences, y, lse];
  const job = { sequences, random, rows, attributes, bindings, more: 1 };
  if (matrixTile === undefined) {
    const tile = chooseTile(backend, shape, forwardWorkgroupBytes);
    run(backend, forwardShader(tile), tile, job);
  } else {
    run(backend, matrixForwardShader(matrixTile), matrixTile, job);
  }
  return [y, lse];
};

export const webgpuAttentionBackward: NonNullable<
  OpDefinition<AttentionBackwardInputs, AttentionAttributes>['webgpu']
> = ({ dy, qkv, y, lse, sequences, random }, attributes, backend) => {
  const [rows = 0, width = 0] = qkv.shape;
  const { heads, keyStride, rate } = attributes;
  const headSize = width / 3 / heads;
  const shape = { headSize, keyStride, rate };
  const matrixTile = chooseMatrixTile(backend, shape, matrixBackwardBytes);
  const tile = matrixTile ?? chooseTile(backend, shape, backwardWorkgroupBytes);
  const [queryGradient, keyGradient] =
    matrixTile === undefined
      ? [queryGradientShader(tile), keyGradientShader(tile)]
      : [matrixQueryGradientShader(matrixTile), matrixKeyGradientShader(matrixTile)];
  const dqkv = makeOutput(backend, [rows, width]);
  const deltas = makeOutput(backend, [rows, heads]);
  const shared = { sequences, random, rows, attributes };
  run(backend, queryGradient, tile, {
    ...shared,
    bindings: [qkv, sequences, dy, y, lse, dqkv, deltas],
    more: 1,
  });
  run(backend, keyGradient, tile, {
    ...shared,
    bindings: [qkv, sequences, dy, lse, deltas, dqkv],
    more: 0,
  });
  backend.disposeData(deltas.dataId);
  return [dqkv];
};
