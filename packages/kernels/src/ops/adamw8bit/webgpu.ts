import { util } from '@tensorflow/tfjs-core';
import type { OpDefinition } from '../../engine/op';
import { dispatch } from '../../webgpu/dispatch';
import { shaderVariants, spread, WORKGROUP_INDEX, WORKGROUP_PARAMETERS } from '../../webgpu/shader';
import { u32 } from '../../webgpu/uniforms';
import { forgetHostCopies } from '../adamw/in-place';
import { STEP } from '../adamw/types';
import { ADAMW_FACTORS, ADAMW_UNIFORMS, adamwWords } from '../adamw/webgpu';
import { GRID_STEPS, type Nearest } from '../blockwise8bit/grid';
import { BLOCKSIZE, type Adamw8bitAttributes, type Adamw8bitInputs } from './types';

/** A thread takes one word of four codes. */
const THREADS = BLOCKSIZE / 4;

/**
 * A workgroup takes a block: moments out of the codes, the parameter's update, the new absmax of both moments by all
 * threads, then the new codes by binary search of the bounds. Eight storage buffers, what WebGPU guarantees. Finite is
 * asked of the bits, since a compiler may take it for granted of the value. The reciprocal may be an ulp off the CPU's,
 * which moves a code where a moment lies that near to a bound.
 */
const shader = shaderVariants(
  'adamw8bit',
  ({ nearest }: { nearest: Nearest }) => /* wgsl */ `
struct Uniforms { size: u32, blocks: u32, ${ADAMW_UNIFORMS} }
@group(0) @binding(0) var<storage, read_write> parameter: array<f32>;
@group(0) @binding(1) var<storage, read> gradient: array<f32>;
@group(0) @binding(2) var<storage, read_write> m: array<u32>;
@group(0) @binding(3) var<storage, read_write> v: array<u32>;
@group(0) @binding(4) var<storage, read_write> mAbsmax: array<f32>;
@group(0) @binding(5) var<storage, read_write> vAbsmax: array<f32>;
@group(0) @binding(6) var<storage, read> tables: array<f32, 1024>;
@group(0) @binding(7) var<storage, read> step: array<f32>;
@group(0) @binding(8) var<uniform> uniforms: Uniforms;
// Bits of floats that are not negative have the floats' order.
var<workgroup> mLargest: atomic<u32>;
var<workgroup> vLargest: atomic<u32>;

fn codeOf(bounds: u32, scaled: f32) -> u32 {
  let searched = ${nearest === 'grid' ? `trunc((scaled + 1.0) * 0.5 * ${GRID_STEPS - 1}.0 + 0.5)` : 'scaled'};
  var low = 0u;
  var high = 255u;
  while (low < high) {
    let middle = (low + high) >> 1u;
    if (tables[bounds + middle] < searched) { low = middle + 1u; } else { high = middle; }
  }
  return low;
}

fn wordOf(bounds: u32, values: vec4f, absmax: f32, count: u32) -> u32 {
  ${nearest === 'grid' ? 'if (absmax == 0.0) { return 0u; }' : ''}
  let reciprocal = 1.0 / max(absmax, 1e-37);
  var word = 0u;
  for (var e = 0u; e < count; e++) {
    word |= codeOf(bounds, clamp(values[e] * reciprocal, -1.0, 1.0)) << (e * 8u);
  }
  return word;
}

@compute @workgroup_size(${THREADS})
fn main(${WORKGROUP_PARAMETERS}) {
  let block = ${WORKGROUP_INDEX};
  if (block >= uniforms.blocks || step[${STEP.apply}] == 0.0) { return; }
  ${ADAMW_FACTORS}
  // WGSL promises zeros here; SwiftShader leaves what the workgroup before left.
  if (lane == 0u) {
    atomicStore(&mLargest, 0u);
    atomicStore(&vLargest, 0u);
  }
  workgroupBarrier();
  let word = block * ${THREADS}u + lane;
  let start = word * 4u;
  var count = 0u;
  if (start < uniforms.size) { count = min(4u, uniforms.size - start); }
  var first = vec4f(0.0);
  var second = vec4f(0.0);
  if (count > 0u) {
    let mWord = m[word];
    let vWord = v[word];
    for (var e = 0u; e < count; e++) {
      let scaled = gradient[start + e] * gradientScale;
      if ((bitcast<u32>(scaled) & 0x7f800000u) == 0x7f800000u) { continue; }
      let before = tables[(mWord >> (e * 8u)) & 255u] * mAbsmax[block];
      let beforeSquare = tables[256u + ((vWord >> (e * 8u)) & 255u)] * vAbsmax[block];
      let next = before * uniforms.beta1 + uniforms.weight1 * scaled;
      let nextSquare = beforeSquare * uniforms.beta2 + uniforms.weight2 * scaled * scaled;
      let denominator = sqrt(nextSquare) / rootCorrection2 + uniforms.epsilon;
      parameter[start + e] = parameter[start + e] * decay - stepSize * next / denominator;
      first[e] = next;
      second[e] = nextSquare;
    }
  }
  let magnitudes = abs(first);
  atomicMax(&mLargest, bitcast<u32>(max(max(magnitudes.x, magnitudes.y), max(magnitudes.z, magnitudes.w))));
  atomicMax(&vLargest, bitcast<u32>(max(max(second.x, second.y), max(second.z, second.w))));
  workgroupBarrier();
  let mScale = bitcast<f32>(atomicLoad(&mLargest));
  let vScale = bitcast<f32>(atomicLoad(&vLargest));
  if (count > 0u) {
    m[word] = wordOf(512u, first, mScale, count);
    v[word] = wordOf(768u, second, vScale, count);
  }
  // Every thread has read the old absmax before the barrier.
  if (lane == 0u) {
    mAbsmax[block] = mScale;
    vAbsmax[block] = vScale;
  }
}`,
);

/** In place. */
export const webgpuAdamw8bit: NonNullable<OpDefinition<Adamw8bitInputs, Adamw8bitAttributes>['webgpu']> = (
  { parameter, gradient, m, v, mAbsmax, vAbsmax, tables, step },
  attributes,
  backend,
) => {
  const size = util.sizeFromShape(parameter.shape);
  const blocks = Math.ceil(size / BLOCKSIZE);
  dispatch(backend, {
    ...shader({ nearest: attributes.nearest }),
    bindings: [parameter, gradient, m, v, mAbsmax, vAbsmax, tables, step],
    uniforms: [u32(size), u32(blocks), ...adamwWords(attributes)],
    workgroups: spread(blocks),
  });
  forgetHostCopies(backend, [parameter, m, v, mAbsmax, vAbsmax]);
  return [];
};
