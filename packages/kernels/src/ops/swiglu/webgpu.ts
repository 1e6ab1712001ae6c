// Idea: one pass over both factors.
// Cost: 12 bytes an element forward, 20 backward; an exponential and some 10 operations.

import { util, type TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { WebgpuKernel } from '../../engine/op';
import { dispatch, makeOutput } from '../../webgpu/dispatch';
import { layout } from '../../webgpu/layout';
import { WORKGROUP_INDEX, WORKGROUP_PARAMETERS, shaderVariants, spread } from '../../webgpu/shader';
import type { SwigluBackwardInputs, SwigluGradients, SwigluInputs } from './types';

const WORKGROUP_SIZE = 256;

/** One thread an element, or four in a vec4 where the size allows: bound by memory in every variant. */
const shader = shaderVariants('swiglu', ({ vector, backward }: { vector: boolean; backward: boolean }) => {
  const type = vector ? 'vec4f' : 'f32';
  const io = layout({
    uniforms: { threads: 'u32' },
    buffers: {
      gates: `read array<${type}>`,
      ups: `read array<${type}>`,
      slopes: backward ? `read array<${type}>` : undefined,
      y: backward ? undefined : `write array<${type}>`,
      dgates: backward ? `write array<${type}>` : undefined,
      dups: backward ? `write array<${type}>` : undefined,
    },
  });
  // The argument of exp is kept to where float32 results still change: WGSL lets an implementation overflow in there.
  return {
    layout: io,
    code: /* wgsl */ `
${io.wgsl}
@compute @workgroup_size(${WORKGROUP_SIZE})
fn main(${WORKGROUP_PARAMETERS}) {
  let i = (${WORKGROUP_INDEX}) * ${WORKGROUP_SIZE}u + lane;
  if (i >= uniforms.threads) { return; }
  let gate = gates[i];
  let share = 1.0 / (1.0 + exp(clamp(-gate, ${type}(-87.0), ${type}(87.0))));
  ${
    backward
      ? `let slope = slopes[i];
  dgates[i] = slope * ups[i] * share * (1.0 + gate * (1.0 - share));
  dups[i] = slope * gate * share;`
      : 'y[i] = gate * share * ups[i];'
  }
}`,
  };
});

function run(backend: WebGPUBackend, { gate, up, dy }: Record<'gate' | 'up', TensorInfo> & { dy?: TensorInfo }) {
  const size = util.sizeFromShape(gate.shape);
  const vector = size % 4 === 0;
  const threads = vector ? size / 4 : size;
  const backward = dy !== undefined;
  const outputs = Array.from({ length: backward ? 2 : 1 }, () => makeOutput(backend, gate.shape));
  dispatch(backend, {
    shader: shader({ vector, backward }),
    buffers: {
      gates: gate,
      ups: up,
      slopes: dy,
      y: backward ? undefined : outputs[0],
      dgates: backward ? outputs[0] : undefined,
      dups: outputs[1],
    },
    uniforms: { threads },
    workgroups: spread(Math.ceil(threads / WORKGROUP_SIZE)),
  });
  return outputs;
}

export const webgpuSwiglu: WebgpuKernel<SwigluInputs, object> = ({ gate, up }, _attributes, backend) =>
  run(backend, { gate, up })[0]!;

export const webgpuSwigluBackward: WebgpuKernel<SwigluBackwardInputs, object, SwigluGradients> = (
  { dy, gate, up },
  _attributes,
  backend,
) => {
  const [dgate, dup] = run(backend, { dy, gate, up });
  return { gate: dgate!, up: dup! };
};
