import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { OpDefinition } from '../../engine/op';
import { KernelError } from '../../errors';
import { dropoutNumbers } from '../../random/dropout-stream';
import { dispatch, makeOutput } from '../../webgpu/dispatch';
import type { Shader } from '../../webgpu/shader';
import { f32, u32 } from '../../webgpu/uniforms';
import type { AttentionAttributes, AttentionBackwardInputs, AttentionInputs } from './types';
import { backwardWorkgroupBytes, keyGradientShader, queryGradientShader } from './webgpu-backward';
import { forwardShader, forwardWorkgroupBytes } from './webgpu-forward';
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

export const webgpuAttention: NonNullable<OpDefinition<AttentionInputs, AttentionAttributes>['webgpu']> = (
  { qkv, sequences, random },
  attributes,
  backend,
) => {
  const [rows = 0, width = 0] = qkv.shape;
  const { heads, keyStride, rate } = attributes;
  const headSize = width / 3 / heads;
  const tile = chooseTile(backend, { headSize, keyStride, rate }, forwardWorkgroupBytes);
  const y = makeOutput(backend, [rows, width / 3]);
  const lse = makeOutput(backend, [rows, heads]);
  const bindings = [qkv, sequences, y, lse];
  run(backend, forwardShader(tile), tile, { sequences, random, rows, attributes, bindings, more: 1 });
  return [y, lse];
};

export const webgpuAttentionBackward: NonNullable<
  OpDefinition<AttentionBackwardInputs, AttentionAttributes>['webgpu']
> = ({ dy, qkv, y, lse, sequences, random }, attributes, backend) => {
  const [rows = 0, width = 0] = qkv.shape;
  const { heads, keyStride, rate } = attributes;
  const headSize = width / 3 / heads;
  const tile = chooseTile(backend, { headSize, keyStride, rate }, backwardWorkgroupBytes);
  const dqkv = makeOutput(backend, [rows, width]);
  const deltas = makeOutput(backend, [rows, heads]);
  const shared = { sequences, random, rows, attributes };
  run(backend, queryGradientShader(tile), tile, {
    ...shared,
    bindings: [qkv, sequences, dy, y, lse, dqkv, deltas],
    more: 1,
  });
  run(backend, keyGradientShader(tile), tile, {
    ...shared,
    bindings: [qkv, sequences, dy, lse, deltas, dqkv],
    more: 0,
  });
  backend.disposeData(deltas.dataId);
  return [dqkv];
};
