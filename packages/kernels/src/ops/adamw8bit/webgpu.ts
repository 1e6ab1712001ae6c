import { util, type TensorInfo } from '@tensorflow/tfjs-core';
import type { WebgpuKernel } from '../../engine/op';
import { dispatch } from '../../webgpu/dispatch';
import { shaderVariants, spread, WORKGROUP_INDEX, WORKGROUP_PARAMETERS } from '../../webgpu/shader';
import { layout } from '../../webgpu/layout';
import { forgetHostCopies } from '../../tfjs/in-place';
import { STEP } from '../../optimizers/step-values';
import { ADAMW_UNIFORMS, adamwFactors, adamwUniforms } from '../../optimizers/update-wgsl';
import { GRID_STEPS } from '../../formats/nearest';
import {
  adamw8bitLayout,
  BLOCKSIZE,
  ENTRY_INPUTS,
  entryOf,
  type Adamw8bitArithmetic,
  type Adamw8bitAttributes,
  type Adamw8bitInputs,
  type Adamw8bitOutputs,
} from './types';

/** A thread takes one word of four codes. */
const THREADS = BLOCKSIZE / 4;

const ENTRY_BUFFERS = ENTRY_INPUTS.length;
const SHARED_BUFFERS = 2;

/** Elements of the parameter, number of its first block, AdamW's constants, and where the parts of its state begin. */
const ENTRY = {
  struct: 'Entry',
  fields: { size: 'u32', start: 'u32', ...ADAMW_UNIFORMS, v: 'u32', mAbsmax: 'u32', vAbsmax: 'u32' },
} as const;

/** WGSL of the update of one block of the entry's parameter. */
const update = (i: number, arithmetic: Adamw8bitArithmetic): string => /* wgsl */ `
fn update${i}(block: u32, lane: u32) {
  let constants = uniforms.entry${i};
  ${adamwFactors('constants')}
  let word = block * ${THREADS}u + lane;
  let start = word * 4u;
  var count = 0u;
  if (start < constants.size) { count = min(4u, constants.size - start); }
  var first = vec4f(0.0);
  var second = vec4f(0.0);
  if (count > 0u) {
    let mWord = state${i}[word];
    let vWord = state${i}[constants.v + word];
    for (var e = 0u; e < count; e++) {
      let scaled = gradient${i}[start + e] * gradientScale;
      if ((bitcast<u32>(scaled) & 0x7f800000u) == 0x7f800000u) { continue; }
      let before = tables[(mWord >> (e * 8u)) & 255u] * bitcast<f32>(state${i}[constants.mAbsmax + block]);
      let beforeSquare = tables[256u + ((vWord >> (e * 8u)) & 255u)] * bitcast<f32>(state${i}[constants.vAbsmax + block]);
      let next = before * constants.beta1 + constants.weight1 * scaled;
      let nextSquare = beforeSquare * constants.beta2 + constants.weight2 * scaled * scaled;
      let denominator = sqrt(nextSquare) / rootCorrection2 + constants.epsilon;
      let old = parameter${i}[start + e];
      let change = stepSize * next / denominator;
      parameter${i}[start + e] = ${arithmetic === 'cuda' ? '(old - change) * decay' : 'old * decay - change'};
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
    state${i}[word] = wordOf(512u, first, mScale, count);
    state${i}[constants.v + word] = wordOf(768u, second, vScale, count);
  }
  // Every thread has read the old absmax before the barrier.
  if (lane == 0u) {
    state${i}[constants.mAbsmax + block] = bitcast<u32>(mScale);
    state${i}[constants.vAbsmax + block] = bitcast<u32>(vScale);
  }
}`;

/**
 * A workgroup takes a block of one of the entries: moments out of the codes, the parameter's update, the new absmax of
 * both moments by all threads, then the new codes by binary search of the bounds. An entry takes three storage buffers,
 * and as many entries share a dispatch as the device's limit allows: two under WebGPU's guarantee of eight. Finite is
 * asked of the bits, since a compiler may take it for granted of the value. The reciprocal may be an ulp off the CPU's,
 * which moves a code where a moment lies that near to a bound.
 */
const shader = shaderVariants(
  'adamw8bit',
  ({ arithmetic, entries }: { arithmetic: Adamw8bitArithmetic; entries: number }) => {
    const indices = Array.from({ length: entries }, (_, i) => i);
    const io = layout({
      uniforms: { ...Object.fromEntries(indices.map((i) => [`entry${i}`, ENTRY] as const)), blocks: 'u32' },
      buffers: {
        ...Object.fromEntries(
          indices.flatMap((i) => [
            [`parameter${i}`, 'write array<f32>' as const],
            [`gradient${i}`, 'read array<f32>' as const],
            [`state${i}`, 'write array<u32>' as const],
          ]),
        ),
        tables: 'read array<f32, 1024>',
        step: 'read array<f32>',
      },
    });
    return {
      layout: io,
      code: /* wgsl */ `
${io.wgsl}
// Bits of floats that are not negative have the floats' order.
var<workgroup> mLargest: atomic<u32>;
var<workgroup> vLargest: atomic<u32>;

fn codeOf(bounds: u32, scaled: f32) -> u32 {
  let searched = ${arithmetic === 'cpu' ? `trunc((scaled + 1.0) * 0.5 * ${GRID_STEPS - 1}.0 + 0.5)` : 'scaled'};
  var low = 0u;
  var high = 255u;
  while (low < high) {
    let middle = (low + high) >> 1u;
    if (tables[bounds + middle] < searched) { low = middle + 1u; } else { high = middle; }
  }
  return low;
}

fn wordOf(bounds: u32, values: vec4f, absmax: f32, count: u32) -> u32 {
  ${arithmetic === 'cpu' ? 'if (absmax == 0.0) { return 0u; }' : ''}
  let reciprocal = 1.0 / max(absmax, 1e-37);
  var word = 0u;
  for (var e = 0u; e < count; e++) {
    word |= codeOf(bounds, clamp(values[e] * reciprocal, -1.0, 1.0)) << (e * 8u);
  }
  return word;
}
${indices.map((i) => update(i, arithmetic)).join('')}

@compute @workgroup_size(${THREADS})
fn main(${WORKGROUP_PARAMETERS}) {
  let block = ${WORKGROUP_INDEX};
  if (block >= uniforms.blocks || step[${STEP.apply}] == 0.0) { return; }
  // WGSL promises zeros here; SwiftShader leaves what the workgroup before left.
  if (lane == 0u) {
    atomicStore(&mLargest, 0u);
    atomicStore(&vLargest, 0u);
  }
  workgroupBarrier();
  ${[...indices]
    .reverse()
    .map((i) => `if (block >= uniforms.entry${i}.start) { update${i}(block - uniforms.entry${i}.start, lane); }`)
    .join(' else ')}
}`,
    };
  },
);

/** In place. */
export const webgpuAdamw8bit: WebgpuKernel<Adamw8bitInputs, Adamw8bitAttributes, Adamw8bitOutputs> = (
  inputs,
  { entries, arithmetic },
  backend,
) => {
  const { tables, step } = inputs;
  const { maxStorageBuffersPerShaderStage: limit } = backend.device.limits;
  const atOnce = Math.max(1, Math.floor((limit - SHARED_BUFFERS) / ENTRY_BUFFERS));
  for (let first = 0; first < entries.length; first += atOnce) {
    const members = entries.slice(first, first + atOnce);
    const tensors = members.map((_, i) => entryOf<TensorInfo>(inputs, first + i));
    let blocks = 0;
    const constants = members.map((attributes, i) => {
      const size = util.sizeFromShape(tensors[i]!.parameter.shape);
      const { v, mAbsmax, vAbsmax } = adamw8bitLayout(size);
      const values = { size, start: blocks, ...adamwUniforms(attributes), v, mAbsmax, vAbsmax };
      blocks += Math.ceil(size / BLOCKSIZE);
      return [`entry${i}`, values] as const;
    });
    dispatch(backend, {
      shader: shader({ arithmetic, entries: members.length }),
      buffers: {
        ...Object.fromEntries(
          tensors.flatMap((entry, i) => ENTRY_INPUTS.map((name) => [`${name}${i}`, entry[name]] as const)),
        ),
        tables,
        step,
      },
      uniforms: { ...Object.fromEntries(constants), blocks },
      workgroups: spread(blocks),
    });
    for (const { gradient: _, ...changed } of tensors) forgetHostCopies(backend, Object.values(changed));
  }
  return {};
};
