// Idea: float16 by WGSL's own packing, sixteen bytes a thread.
// Cost: 6 bytes an element each way.

import { util, type TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { WebgpuKernel } from '../../engine/op';
import { dispatch, makeOutput } from '../../webgpu/dispatch';
import { WORKGROUP_INDEX, WORKGROUP_PARAMETERS, shaderVariants, spread } from '../../webgpu/shader';
import { layout } from '../../webgpu/layout';
import { LARGEST_HALF } from '../../formats/half';
import { wordsOf, type PackHalfInputs, type UnpackHalfAttributes, type UnpackHalfInputs } from './types';

const WORKGROUP_SIZE = 256;
/** Values of a thread where they come in whole vectors: 16 bytes of float16. */
const GROUP = 8;

/** Bit patterns by WGSL's own functions, which every adapter has, with shader-f16 or without. */
const packShader = shaderVariants('pack half', ({ vector }: { vector: boolean }) => {
  const bounded = (pair: string): string =>
    `pack2x16float(clamp(${pair}, vec2f(-${LARGEST_HALF}.0), vec2f(${LARGEST_HALF}.0)))`;
  const io = layout({
    uniforms: { size: 'u32', groups: 'u32' },
    buffers: { x: `read array<${vector ? 'vec4f' : 'f32'}>`, halves: `write array<${vector ? 'vec4u' : 'u32'}>` },
  });
  return {
    layout: io,
    joining: { beside: true },
    code: /* wgsl */ `
${io.wgsl}
@compute @workgroup_size(${WORKGROUP_SIZE})
fn main(${WORKGROUP_PARAMETERS}) {
  let i = (${WORKGROUP_INDEX}) * ${WORKGROUP_SIZE}u + lane;
  if (i >= uniforms.groups) { return; }
  ${
    vector
      ? /* wgsl */ `let low = x[2u * i];
  let high = x[2u * i + 1u];
  halves[i] = vec4u(${['low.xy', 'low.zw', 'high.xy', 'high.zw'].map(bounded).join(', ')});`
      : /* wgsl */ `var pair = vec2f(x[2u * i], 0.0);
  if (2u * i + 1u < uniforms.size) { pair.y = x[2u * i + 1u]; }
  halves[i] = ${bounded('pair')};`
  }
}`,
  };
});

const unpackShader = shaderVariants('unpack half', ({ vector }: { vector: boolean }) => {
  const io = layout({
    uniforms: { size: 'u32', groups: 'u32' },
    buffers: { halves: `read array<${vector ? 'vec4u' : 'u32'}>`, x: `write array<${vector ? 'vec4f' : 'f32'}>` },
  });
  return {
    layout: io,
    joining: { beside: true },
    code: /* wgsl */ `
${io.wgsl}
@compute @workgroup_size(${WORKGROUP_SIZE})
fn main(${WORKGROUP_PARAMETERS}) {
  let i = (${WORKGROUP_INDEX}) * ${WORKGROUP_SIZE}u + lane;
  if (i >= uniforms.groups) { return; }
  let word = halves[i];
  ${
    vector
      ? /* wgsl */ `x[2u * i] = vec4f(unpack2x16float(word.x), unpack2x16float(word.y));
  x[2u * i + 1u] = vec4f(unpack2x16float(word.z), unpack2x16float(word.w));`
      : /* wgsl */ `let pair = unpack2x16float(word);
  x[2u * i] = pair.x;
  if (2u * i + 1u < uniforms.size) { x[2u * i + 1u] = pair.y; }`
  }
}`,
  };
});

function run(
  backend: WebGPUBackend,
  shader: typeof packShader | typeof unpackShader,
  size: number,
  buffers: Readonly<Record<'x' | 'halves', TensorInfo>>,
): void {
  const vector = size % GROUP === 0;
  const groups = vector ? size / GROUP : wordsOf(size);
  dispatch(backend, {
    shader: shader({ vector }),
    buffers,
    uniforms: { size, groups },
    workgroups: spread(Math.ceil(groups / WORKGROUP_SIZE)),
  });
}

export const webgpuPackHalf: WebgpuKernel<PackHalfInputs, object> = ({ x }, _attributes, backend) => {
  const size = util.sizeFromShape(x.shape);
  const halves = makeOutput(backend, [wordsOf(size)], 'int32');
  run(backend, packShader, size, { x, halves });
  return halves;
};

export const webgpuUnpackHalf: WebgpuKernel<UnpackHalfInputs, UnpackHalfAttributes> = (
  { halves },
  { shape },
  backend,
) => {
  const x = makeOutput(backend, [...shape]);
  run(backend, unpackShader, util.sizeFromShape(x.shape), { x, halves });
  return x;
};
