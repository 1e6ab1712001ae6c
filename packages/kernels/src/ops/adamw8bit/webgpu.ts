// Idea: a block of 256 stays in its workgroup from the old codes to the new ones.
// Cost: 16 bytes an element (parameter both ways, gradient, two codes both ways), 16 a block, and two searches of 8 steps each.

import { util, type TensorInfo } from '@tensorflow/tfjs-core';
import type { WebgpuKernel } from '../../engine/op';
import { dispatch } from '../../webgpu/dispatch';
import { shaderVariants, spread, WORKGROUP_INDEX, WORKGROUP_PARAMETERS } from '../../webgpu/shader';
import { layout, wordOf, type WordType } from '../../webgpu/layout';
import { lastStartingBy } from '../../webgpu/reduce';
import { internalsOf } from '../../tfjs/backend';
import { elementOffset, runsInSameBuffers } from '../../tfjs/together';
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
  type EntryOf,
} from './types';

/** A thread takes one word of four codes. */
const THREADS = BLOCKSIZE / 4;

/**
 * What a shader is told of a parameter: its elements, the number of its first block, AdamW's constants, where it, its gradient
 * and its state begin in their buffers, and where the parts of the state do.
 */
const ENTRY: Readonly<Record<string, WordType>> = {
  ...{ size: 'u32', start: 'u32', ...ADAMW_UNIFORMS },
  ...{ parameter: 'u32', gradient: 'u32', m: 'u32', v: 'u32', mAbsmax: 'u32', vAbsmax: 'u32' },
};

/**
 * A workgroup takes a block of one of the parameters: moments out of the codes, the parameter's update, the new absmax of
 * both moments by all threads, then the new codes by binary search of the bounds. Parameters share a dispatch where they,
 * their gradients and their states lie in one buffer each. Finite is asked of the bits, since a compiler may take it for
 * granted of the value. The reciprocal may be an ulp off the CPU's, which moves a code where a moment lies that near to a
 * bound.
 */
const shader = shaderVariants('adamw8bit', ({ arithmetic }: { arithmetic: Adamw8bitArithmetic }) => {
  const io = layout({
    uniforms: { blocks: 'u32', entries: 'u32' },
    buffers: {
      parameters: 'write array<f32>',
      gradients: 'read array<f32>',
      states: 'write array<u32>',
      entries: 'read array<Entry>',
      tables: 'read array<f32, 1024>',
      step: 'read array<f32>',
    },
  });
  return {
    layout: io,
    code: /* wgsl */ `
struct Entry { ${Object.entries(ENTRY)
      .map(([name, type]) => `${name}: ${type}`)
      .join(', ')} }
${io.wgsl}
// Bits of floats that are not negative have the floats' order.
var<workgroup> mLargest: atomic<u32>;
var<workgroup> vLargest: atomic<u32>;
${lastStartingBy('entries')}
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

@compute @workgroup_size(${THREADS})
fn main(${WORKGROUP_PARAMETERS}) {
  let number = ${WORKGROUP_INDEX};
  if (number >= uniforms.blocks || step[${STEP.apply}] == 0.0) { return; }
  // WGSL promises zeros here; SwiftShader leaves what the workgroup before left.
  if (lane == 0u) {
    atomicStore(&mLargest, 0u);
    atomicStore(&vLargest, 0u);
  }
  workgroupBarrier();
  let entry = entries[lastStartingBy(number, uniforms.entries)];
  let block = number - entry.start;
  ${adamwFactors('entry')}
  let word = block * ${THREADS}u + lane;
  let start = word * 4u;
  var count = 0u;
  if (start < entry.size) { count = min(4u, entry.size - start); }
  var first = vec4f(0.0);
  var second = vec4f(0.0);
  if (count > 0u) {
    let mWord = states[entry.m + word];
    let vWord = states[entry.v + word];
    for (var e = 0u; e < count; e++) {
      let scaled = gradients[entry.gradient + start + e] * gradientScale;
      if ((bitcast<u32>(scaled) & 0x7f800000u) == 0x7f800000u) { continue; }
      let before = tables[(mWord >> (e * 8u)) & 255u] * bitcast<f32>(states[entry.mAbsmax + block]);
      let beforeSquare = tables[256u + ((vWord >> (e * 8u)) & 255u)] * bitcast<f32>(states[entry.vAbsmax + block]);
      let next = before * entry.beta1 + entry.weight1 * scaled;
      let nextSquare = beforeSquare * entry.beta2 + entry.weight2 * scaled * scaled;
      let denominator = sqrt(nextSquare) / rootCorrection2 + entry.epsilon;
      let old = parameters[entry.parameter + start + e];
      let change = stepSize * next / denominator;
      parameters[entry.parameter + start + e] = ${arithmetic === 'cuda' ? '(old - change) * decay' : 'old * decay - change'};
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
    states[entry.m + word] = wordOf(512u, first, mScale, count);
    states[entry.v + word] = wordOf(768u, second, vScale, count);
  }
  // Every thread has read the old absmax before the barrier.
  if (lane == 0u) {
    states[entry.mAbsmax + block] = bitcast<u32>(mScale);
    states[entry.vAbsmax + block] = bitcast<u32>(vScale);
  }
}`,
  };
});

/** In place. */
export const webgpuAdamw8bit: WebgpuKernel<Adamw8bitInputs, Adamw8bitAttributes, Adamw8bitOutputs> = (
  inputs,
  { entries, arithmetic },
  backend,
) => {
  const { tables, step } = inputs;
  const internals = internalsOf(backend);
  const all = entries.map((attributes, i) => ({ attributes, ...entryOf<TensorInfo>(inputs, i) }));
  const tensorsOf = (entry: EntryOf<TensorInfo>): TensorInfo[] => ENTRY_INPUTS.map((name) => entry[name]);
  for (const run of runsInSameBuffers(internals, all, tensorsOf)) {
    let blocks = 0;
    const words = run.flatMap(({ parameter, gradient, state, attributes }) => {
      const size = util.sizeFromShape(parameter.shape);
      const at = elementOffset(internals, state);
      const { m, v, mAbsmax, vAbsmax } = adamw8bitLayout(size);
      const values: Readonly<Record<string, number>> = {
        ...{ size, start: blocks, ...adamwUniforms(attributes) },
        ...{ parameter: elementOffset(internals, parameter), gradient: elementOffset(internals, gradient) },
        ...{ m: at + m, v: at + v, mAbsmax: at + mAbsmax, vAbsmax: at + vAbsmax },
      };
      blocks += Math.ceil(size / BLOCKSIZE);
      return Object.entries(ENTRY).map(([name, type]) => wordOf(type, values[name]!));
    });
    const table = backend.makeTensorInfo([words.length], 'int32', Int32Array.from(words));
    const inOne = (name: (typeof ENTRY_INPUTS)[number]) => ({ inOne: run.map((entry) => entry[name]) });
    dispatch(backend, {
      shader: shader({ arithmetic }),
      buffers: {
        ...{ parameters: inOne('parameter'), gradients: inOne('gradient'), states: inOne('state') },
        ...{ entries: table, tables, step },
      },
      uniforms: { blocks, entries: run.length },
      workgroups: spread(blocks),
    });
    backend.disposeData(table.dataId);
    for (const { parameter, state } of run) forgetHostCopies(backend, [parameter, state]);
  }
  return {};
};
