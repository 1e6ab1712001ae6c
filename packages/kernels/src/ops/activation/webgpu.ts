// Idea: one pass over the elements, by themselves or with dy.
// Cost: 8 bytes an element forward, 12 backward, and the function's 10 to 40 operations.

import { util, type TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { WebgpuKernel } from '../../engine/op';
import { dispatch, makeOutput } from '../../webgpu/dispatch';
import { WORKGROUP_INDEX, WORKGROUP_PARAMETERS, shaderVariants, spread } from '../../webgpu/shader';
import { layout } from '../../webgpu/layout';
import { FORMULAS, HELPERS } from '../../webgpu/activation';
import type { ActivationKind } from '../../formats/activations';
import type { ActivationAttributes, ActivationBackwardInputs, ActivationInputs } from './types';

const WORKGROUP_SIZE = 256;

/** One thread an element, or four in a vec4 where the size allows: bound by memory in every variant. */
const shader = shaderVariants(
  'activation',
  ({ kind, vector, backward }: { kind: ActivationKind; vector: boolean; backward: boolean }) => {
    const type = vector ? 'vec4f' : 'f32';
    const { value, derivative } = FORMULAS[kind];
    const io = layout({
      uniforms: { threads: 'u32' },
      buffers: { inputs: 'read array<T>', outputs: 'write array<T>', slopes: backward ? 'read array<T>' : undefined },
    });
    return {
      layout: io,
      code: /* wgsl */ `
alias T = ${type};
${io.wgsl}
${HELPERS}
fn apply(x: T) -> T { ${backward ? derivative : value} }

@compute @workgroup_size(${WORKGROUP_SIZE})
fn main(${WORKGROUP_PARAMETERS}) {
  let i = (${WORKGROUP_INDEX}) * ${WORKGROUP_SIZE}u + lane;
  if (i >= uniforms.threads) { return; }
  outputs[i] = ${backward ? 'slopes[i] * ' : ''}apply(inputs[i]);
}`,
    };
  },
);

function run(backend: WebGPUBackend, kind: ActivationKind, x: TensorInfo, dy?: TensorInfo): TensorInfo {
  const size = util.sizeFromShape(x.shape);
  const vector = size % 4 === 0;
  const threads = vector ? size / 4 : size;
  const y = makeOutput(backend, x.shape);
  dispatch(backend, {
    shader: shader({ kind, vector, backward: dy !== undefined }),
    buffers: { inputs: x, outputs: y, slopes: dy },
    uniforms: { threads },
    workgroups: spread(Math.ceil(threads / WORKGROUP_SIZE)),
  });
  return y;
}

export const webgpuActivation: WebgpuKernel<ActivationInputs, ActivationAttributes> = ({ x }, { kind }, backend) =>
  run(backend, kind, x);

export const webgpuActivationBackward: WebgpuKernel<ActivationBackwardInputs, ActivationAttributes> = (
  { dy, x },
  { kind },
  backend,
) => run(backend, kind, x, dy);
