import { util } from '@tensorflow/tfjs-core';
import type { WebgpuKernel } from '../../engine/op';
import { dispatch, makeOutput } from '../../webgpu/dispatch';
import { workgroupSum } from '../../webgpu/reduce';
import { shaderVariants, spread, WORKGROUP_INDEX, WORKGROUP_PARAMETERS } from '../../webgpu/shader';
import { layout } from '../../webgpu/layout';
import {
  NORM_EPSILON,
  type ClipControlAttributes,
  type ClipControlInputs,
  type ClipControlOutputs,
  type SumOfSquaresInputs,
} from './types';

const THREADS = 256;

/** Elements a workgroup sums in the first phase, 16 a thread. */
const CHUNK = 16 * THREADS;

/** First phase: a workgroup sums the squares of a chunk of one tensor into a place of its own. */
const chunks = shaderVariants('sumOfSquares chunks', ({ tensors }: { tensors: number }) => {
  const indices = Array.from({ length: tensors }, (_, i) => i);
  // Of each tensor: its elements, and the number of its first chunk.
  const ofTensors = Object.fromEntries(
    indices.flatMap((i) => [
      [`size${i}`, 'u32' as const],
      [`start${i}`, 'u32' as const],
    ]),
  );
  const io = layout({
    uniforms: { chunks: 'u32', offset: 'u32', ...ofTensors },
    buffers: {
      ...Object.fromEntries(indices.map((i) => [`x${i}`, 'read array<f32>' as const])),
      partials: 'write array<f32>',
    },
  });
  return {
    layout: io,
    code: /* wgsl */ `
${io.wgsl}
${workgroupSum('f32', THREADS)}
${indices
  .map(
    (i) => /* wgsl */ `
fn squares${i}(chunk: u32, lane: u32) -> f32 {
  let end = min((chunk + 1u) * ${CHUNK}u, uniforms.size${i});
  var sum = 0.0;
  for (var i = chunk * ${CHUNK}u + lane; i < end; i += ${THREADS}u) { sum += x${i}[i] * x${i}[i]; }
  return sum;
}`,
  )
  .join('')}
@compute @workgroup_size(${THREADS})
fn main(${WORKGROUP_PARAMETERS}) {
  let chunk = ${WORKGROUP_INDEX};
  if (chunk >= uniforms.chunks) { return; }
  var sum = 0.0;
  ${indices
    .toReversed()
    .map((i) => `if (chunk >= uniforms.start${i}) { sum = squares${i}(chunk - uniforms.start${i}, lane); }`)
    .join(' else ')}
  let total = workgroupSum(lane, sum);
  if (lane == 0u) { partials[uniforms.offset + chunk] = total; }
}`,
  };
});

/** Second phase: one workgroup sums what the first left, in an order that the number of partial sums decides. */
const totals = shaderVariants('sumOfSquares total', () => {
  const io = layout({
    uniforms: { count: 'u32' },
    buffers: { partials: 'read array<f32>', total: 'write array<f32>' },
  });
  return {
    layout: io,
    code: /* wgsl */ `
${io.wgsl}
${workgroupSum('f32', THREADS)}
@compute @workgroup_size(${THREADS})
fn main(@builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var i = lane; i < uniforms.count; i += ${THREADS}u) { sum += partials[i]; }
  let result = workgroupSum(lane, sum);
  if (lane == 0u) { total[0] = result; }
}`,
  };
});

export const webgpuSumOfSquares: WebgpuKernel<SumOfSquaresInputs, object> = (inputs, _attributes, backend) => {
  const tensors = Object.values(inputs);
  const sizes = tensors.map(({ shape }) => util.sizeFromShape(shape));
  const count = sizes.reduce((sum, size) => sum + Math.ceil(size / CHUNK), 0);
  const partials = makeOutput(backend, [count]);
  // One dispatch for as many tensors as a shader may bind beside the partial sums.
  const group = backend.device.limits.maxStorageBuffersPerShaderStage - 1;
  let offset = 0;
  for (let first = 0; first < tensors.length; first += group) {
    const members = tensors.slice(first, first + group);
    const starts: number[] = [];
    let chunkCount = 0;
    members.forEach((_, i) => {
      starts.push(chunkCount);
      chunkCount += Math.ceil(sizes[first + i]! / CHUNK);
    });
    dispatch(backend, {
      shader: chunks({ tensors: members.length }),
      buffers: { ...Object.fromEntries(members.map((tensor, i) => [`x${i}`, tensor])), partials },
      uniforms: {
        chunks: chunkCount,
        offset,
        ...Object.fromEntries(
          members.flatMap((_, i) => [
            [`size${i}`, sizes[first + i]!],
            [`start${i}`, starts[i]!],
          ]),
        ),
      },
      workgroups: spread(chunkCount),
    });
    offset += chunkCount;
  }
  const total = makeOutput(backend, [1]);
  dispatch(backend, { shader: totals({}), buffers: { partials, total }, uniforms: { count }, workgroups: [1, 1, 1] });
  backend.disposeData(partials.dataId);
  return total;
};

/** One thread. Finite is asked of the bits, since a compiler may take it for granted of the value. */
const control = shaderVariants('clipControl', ({ scaled, clipped }: { scaled: boolean; clipped: boolean }) => {
  const io = layout({
    uniforms: { maxNorm: 'f32', zero: 'u32' },
    buffers: {
      sumSquares: 'read array<f32>',
      norm: 'write array<f32>',
      control: 'write array<f32>',
      lossScale: scaled ? 'read array<f32>' : undefined,
    },
  });
  return {
    layout: io,
    code: /* wgsl */ `
${io.wgsl}

fn isFinite(value: f32) -> bool { return (bitcast<u32>(value) & 0x7f800000u) != 0x7f800000u; }

@compute @workgroup_size(1)
fn main() {
  let squares = sumSquares[0];
  let scale = ${scaled ? 'lossScale[0]' : '1.0'};
  let root = sqrt(squares) / scale;
  let finite = isFinite(squares) && isFinite(root);
  norm[0] = select(bitcast<f32>(bitcast<u32>(squares) ^ uniforms.zero), root, finite);
  let clip = ${clipped ? `min(1.0, uniforms.maxNorm / (root + ${NORM_EPSILON}))` : '1.0'};
  control[0] = select(0.0, clip / scale, finite);
  control[1] = select(0.0, 1.0, finite);
}`,
  };
});

export const webgpuClipControl: WebgpuKernel<ClipControlInputs, ClipControlAttributes, ClipControlOutputs> = (
  { sumSquares, lossScale },
  { maxNorm },
  backend,
) => {
  const norm = makeOutput(backend, [1]);
  const decision = makeOutput(backend, [2]);
  const clipped = Number.isFinite(maxNorm);
  dispatch(backend, {
    shader: control({ scaled: lossScale !== undefined, clipped }),
    buffers: { sumSquares, norm, control: decision, lossScale },
    uniforms: { maxNorm: clipped ? maxNorm : 0, zero: 0 },
    workgroups: [1, 1, 1],
  });
  return { norm, control: decision };
};
