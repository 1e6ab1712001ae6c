// Idea: the scale is decided where the gradients' norm is, so that a plan replays.
// Cost: a dispatch's latency.

import type { WebgpuKernel } from '../../engine/op';
import { dispatch } from '../../webgpu/dispatch';
import { shaderVariants } from '../../webgpu/shader';
import { layout } from '../../webgpu/layout';
import { forgetHostCopies } from '../../tfjs/in-place';
import type { LossScaleAttributes, LossScaleInputs, LossScaleOutputs } from './types';

/** One thread. Whether a scale is finite is asked of its bits, since a compiler may take it for granted of the value. */
const shader = shaderVariants('loss scale', () => {
  const io = layout({
    uniforms: { growthFactor: 'f32', backoffFactor: 'f32', growthInterval: 'f32' },
    buffers: { scale: 'write array<f32>', counts: 'write array<f32>', control: 'read array<f32>' },
  });
  return {
    layout: io,
    joining: { beside: true },
    code: /* wgsl */ `
${io.wgsl}

@compute @workgroup_size(1)
fn main() {
  if (control[1] == 0.0) {
    scale[0] = scale[0] * uniforms.backoffFactor;
    counts[0] = 0.0;
    counts[1] = counts[1] + 1.0;
    return;
  }
  let run = counts[0] + 1.0;
  if (run < uniforms.growthInterval) {
    counts[0] = run;
    return;
  }
  let grown = scale[0] * uniforms.growthFactor;
  if ((bitcast<u32>(grown) & 0x7f800000u) != 0x7f800000u) { scale[0] = grown; }
  counts[0] = 0.0;
}`,
  };
});

/** In place. */
export const webgpuLossScale: WebgpuKernel<LossScaleInputs, LossScaleAttributes, LossScaleOutputs> = (
  { scale, counts, control },
  { growthFactor, backoffFactor, growthInterval },
  backend,
) => {
  dispatch(backend, {
    shader: shader({}),
    buffers: { scale, counts, control },
    uniforms: { growthFactor, backoffFactor, growthInterval },
    workgroups: [1, 1, 1],
  });
  forgetHostCopies(backend, [scale, counts]);
  return {};
};
