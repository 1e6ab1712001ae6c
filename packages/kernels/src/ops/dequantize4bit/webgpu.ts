// Idea: a thread has a word of eight codes, which share a block.
// Cost: 4.5 bytes a weight and 1 byte or 4 a block read; a look into a table of 16 and a product a weight.

import type { WebgpuKernel } from '../../engine/op';
import { dispatch, makeOutput } from '../../webgpu/dispatch';
import { shaderVariants, spread, WORKGROUP_INDEX, WORKGROUP_PARAMETERS } from '../../webgpu/shader';
import { layout } from '../../webgpu/layout';
import { sizeOf, type Packed4bitAttributes, type Packed4bitInputs } from '../../four-bit/types';
import {
  ABSMAX_UNIFORMS,
  absmaxBuffers,
  absmaxFunction,
  absmaxTensors,
  absmaxUniforms,
  NIBBLE,
} from '../../four-bit/wgsl';

const WORKGROUP_SIZE = 128;

/** A thread a word of eight codes, which share a block: bound by what it writes. */
const shader = shaderVariants('dequantize4bit', ({ nested }: { nested: boolean }) => {
  const io = layout({
    uniforms: { size: 'u32', ...ABSMAX_UNIFORMS },
    buffers: {
      packed: 'read array<u32>',
      code: 'read array<f32>',
      values: 'write array<f32>',
      ...absmaxBuffers(nested ? 'nested' : 'plain'),
    },
  });
  return {
    layout: io,
    code: /* wgsl */ `
${io.wgsl}
${absmaxFunction(nested)}
${NIBBLE}
@compute @workgroup_size(${WORKGROUP_SIZE})
fn main(${WORKGROUP_PARAMETERS}) {
  let i = (${WORKGROUP_INDEX}) * ${WORKGROUP_SIZE}u + lane;
  let first = i * 8u;
  if (first >= uniforms.size) { return; }
  let word = packed[i];
  let scale = absmaxOf(first >> uniforms.blockShift);
  for (var e = 0u; e < min(8u, uniforms.size - first); e++) { values[first + e] = code[nibble(word, e)] * scale; }
}`,
  };
});

export const webgpuDequantize4bit: WebgpuKernel<Packed4bitInputs, Packed4bitAttributes> = (
  inputs,
  attributes,
  backend,
) => {
  const size = sizeOf(attributes.shape);
  const values = makeOutput(backend, [...attributes.shape]);
  dispatch(backend, {
    shader: shader({ nested: inputs.nestedAbsmax !== undefined }),
    buffers: { packed: inputs.packed, code: inputs.code, values, ...absmaxTensors(inputs) },
    uniforms: { size, ...absmaxUniforms(attributes) },
    workgroups: spread(Math.ceil(size / 8 / WORKGROUP_SIZE)),
  });
  return values;
};
