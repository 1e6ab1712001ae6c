// Idea: chunks of all gradients are summed beside each other, then one workgroup adds them in a fixed order and decides.
// Cost: 4 bytes and one multiplication an element; the second phase is a dispatch's latency.

import { util, type TensorInfo } from '@tensorflow/tfjs-core';
import type { WebgpuKernel } from '../../engine/op';
import { dispatch, makeOutput } from '../../webgpu/dispatch';
import { internalsOf } from '../../tfjs/backend';
import { elementOffset, runsInSameBuffers } from '../../tfjs/together';
import { lastStartingBy, workgroupSum } from '../../webgpu/reduce';
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

/** Of a tensor: its elements, where in the buffer they begin, and the number of its first chunk. */
const SPAN_WORDS = 3;

/** First phase: a workgroup sums the squares of a chunk of a tensor, one of those that lie in a buffer, into a place of its own. */
const chunks = shaderVariants('sumOfSquares chunks', () => {
  const io = layout({
    uniforms: { chunks: 'u32', offset: 'u32', tensors: 'u32' },
    buffers: { x: 'read array<f32>', spans: 'read array<Span>', partials: 'write array<f32>' },
  });
  return {
    layout: io,
    code: /* wgsl */ `
struct Span { size: u32, offset: u32, start: u32 }
${io.wgsl}
${workgroupSum('f32', THREADS)}
${lastStartingBy('spans')}
@compute @workgroup_size(${THREADS})
fn main(${WORKGROUP_PARAMETERS}) {
  let chunk = ${WORKGROUP_INDEX};
  if (chunk >= uniforms.chunks) { return; }
  let span = spans[lastStartingBy(chunk, uniforms.tensors)];
  let first = (chunk - span.start) * ${CHUNK}u;
  let end = min(first + ${CHUNK}u, span.size);
  var sum = 0.0;
  for (var i = first + lane; i < end; i += ${THREADS}u) { sum += x[span.offset + i] * x[span.offset + i]; }
  let total = workgroupSum(lane, sum);
  if (lane == 0u) { partials[uniforms.offset + chunk] = total; }
}`,
  };
});

/** [chunks]: one dispatch for all tensors that lie in one buffer. */
export const webgpuSumOfSquares: WebgpuKernel<SumOfSquaresInputs, object> = (inputs, _attributes, backend) => {
  const internals = internalsOf(backend);
  const chunksOf = ({ shape }: TensorInfo): number => Math.ceil(util.sizeFromShape(shape) / CHUNK);
  const tensors = Object.values(inputs).filter((tensor) => chunksOf(tensor) > 0);
  const count = tensors.reduce((sum, tensor) => sum + chunksOf(tensor), 0);
  const partials = makeOutput(backend, [count]);
  let offset = 0;
  for (const run of runsInSameBuffers(internals, tensors, (tensor) => [tensor])) {
    const words = new Int32Array(SPAN_WORDS * run.length);
    let start = 0;
    run.forEach((tensor, i) => {
      words.set([util.sizeFromShape(tensor.shape), elementOffset(internals, tensor), start], SPAN_WORDS * i);
      start += chunksOf(tensor);
    });
    const spans = backend.makeTensorInfo([words.length], 'int32', words);
    dispatch(backend, {
      shader: chunks({}),
      buffers: { x: { inOne: run }, spans, partials },
      uniforms: { chunks: start, offset, tensors: run.length },
      workgroups: spread(start),
    });
    backend.disposeData(spans.dataId);
    offset += start;
  }
  return partials;
};

/**
 * One workgroup: what the first phase left, in an order that the number of partial sums decides, and what one thread makes
 * of it. Finite is asked of the bits, since a compiler may take it for granted of the value.
 */
const control = shaderVariants('clipControl', ({ scaled, clipped }: { scaled: boolean; clipped: boolean }) => {
  const io = layout({
    uniforms: { maxNorm: 'f32', zero: 'u32', count: 'u32' },
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
${workgroupSum('f32', THREADS)}
fn isFinite(value: f32) -> bool { return (bitcast<u32>(value) & 0x7f800000u) != 0x7f800000u; }

@compute @workgroup_size(${THREADS})
fn main(@builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var i = lane; i < uniforms.count; i += ${THREADS}u) { sum += sumSquares[i]; }
  let squares = workgroupSum(lane, sum);
  if (lane > 0u) { return; }
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
    uniforms: { maxNorm: clipped ? maxNorm : 0, zero: 0, count: util.sizeFromShape(sumSquares.shape) },
    workgroups: [1, 1, 1],
  });
  return { norm, control: decision };
};
