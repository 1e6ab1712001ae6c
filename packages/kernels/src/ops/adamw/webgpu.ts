// Idea: one pass that reads and writes parameter and moments in place; the step's numbers are made on the device, so that a plan replays.
// Cost: 28 bytes an element (parameter and moments both ways, gradient once) and some 15 operations; the step's numbers are one thread's.

import { ADAMW_UNIFORMS, adamwFactors, adamwUniforms } from '../../optimizers/update-wgsl';
import { util } from '@tensorflow/tfjs-core';
import type { WebgpuKernel } from '../../engine/op';
import { dispatch, makeOutput } from '../../webgpu/dispatch';
import { shaderVariants, spread, WORKGROUP_INDEX, WORKGROUP_PARAMETERS } from '../../webgpu/shader';
import { layout } from '../../webgpu/layout';
import { forgetHostCopies } from '../../tfjs/in-place';
import type { AdamwInputs, AdamwOutputs, StepValuesAttributes, StepValuesInputs, StepValuesOutputs } from './types';
import { STEP, STEP_SIZE, type AdamwAttributes } from '../../optimizers/step-values';

const THREADS = 256;

/** A thread takes one element, or four where the size allows. */
const shader = shaderVariants('adamw', ({ vector }: { vector: boolean }) => {
  const io = layout({
    uniforms: { count: 'u32', ...ADAMW_UNIFORMS },
    buffers: {
      parameter: 'write array<T>',
      gradient: 'read array<T>',
      m: 'write array<T>',
      v: 'write array<T>',
      step: 'read array<f32>',
    },
  });
  return {
    layout: io,
    code: /* wgsl */ `
alias T = ${vector ? 'vec4f' : 'f32'};
${io.wgsl}
@compute @workgroup_size(${THREADS})
fn main(${WORKGROUP_PARAMETERS}) {
  let i = (${WORKGROUP_INDEX}) * ${THREADS}u + lane;
  if (i >= uniforms.count || step[${STEP.apply}] == 0.0) { return; }
  ${adamwFactors('uniforms')}
  let scaled = gradient[i] * gradientScale;
  let first = m[i] + uniforms.weight1 * (scaled - m[i]);
  let second = v[i] * uniforms.beta2 + uniforms.weight2 * scaled * scaled;
  m[i] = first;
  v[i] = second;
  parameter[i] = parameter[i] * decay - stepSize * first / (sqrt(second) / rootCorrection2 + uniforms.epsilon);
}`,
  };
});

/** In place. */
export const webgpuAdamw: WebgpuKernel<AdamwInputs, AdamwAttributes, AdamwOutputs> = (
  { parameter, gradient, m, v, step },
  attributes,
  backend,
) => {
  const size = util.sizeFromShape(parameter.shape);
  const vector = size % 4 === 0;
  const count = vector ? size / 4 : size;
  dispatch(backend, {
    shader: shader({ vector }),
    buffers: { parameter, gradient, m, v, step },
    uniforms: { count, ...adamwUniforms(attributes) },
    workgroups: spread(Math.ceil(count / THREADS)),
  });
  forgetHostCopies(backend, [parameter, m, v]);
  return {};
};

/**
 * One thread. 1 - beta^t = -expm1(t·ln beta); taken as 1 - exp it would lose what beta2 = 0.999 has to lose in float32,
 * so the series does it where t·ln beta is small.
 */
const stepValuesShader = shaderVariants('adamw step values', ({ controlled }: { controlled: boolean }) => {
  const io = layout({
    uniforms: { logBeta1: 'f32', logBeta2: 'f32' },
    buffers: {
      learningRate: 'read array<f32>',
      counter: 'write array<f32>',
      values: 'write array<f32>',
      control: controlled ? 'read array<f32>' : undefined,
    },
  });
  return {
    layout: io,
    joining: { beside: true },
    code: /* wgsl */ `
${io.wgsl}

fn oneMinusExp(x: f32) -> f32 {
  if (x < -1.0) { return 1.0 - exp(x); }
  var sum = 1.0;
  for (var n = 12.0; n > 1.0; n -= 1.0) { sum = 1.0 + sum * x / n; }
  return -x * sum;
}

@compute @workgroup_size(1)
fn main() {
  let t = counter[0] + 1.0;
  let gradientScale = ${controlled ? 'control[0]' : '1.0'};
  let apply = ${controlled ? 'control[1] != 0.0' : 'true'};
  values[${STEP.learningRate}] = learningRate[0];
  values[${STEP.correction1}] = oneMinusExp(t * uniforms.logBeta1);
  values[${STEP.rootCorrection2}] = sqrt(oneMinusExp(t * uniforms.logBeta2));
  values[${STEP.t}] = t;
  values[${STEP.gradientScale}] = gradientScale;
  values[${STEP.apply}] = select(0.0, 1.0, apply);
  counter[0] = select(counter[0], t, apply);
}`,
  };
});

export const webgpuStepValues: WebgpuKernel<StepValuesInputs, StepValuesAttributes, StepValuesOutputs> = (
  { learningRate, counter, control },
  { beta1, beta2 },
  backend,
) => {
  const values = makeOutput(backend, [STEP_SIZE]);
  // ln 0 = -Infinity, which a shader need not know; e^-1e4 is 0 all the same.
  const log = (beta: number): number => Math.max(Math.log(beta), -1e4);
  dispatch(backend, {
    shader: stepValuesShader({ controlled: control !== undefined }),
    buffers: { learningRate, counter, values, control },
    uniforms: { logBeta1: log(beta1), logBeta2: log(beta2) },
    workgroups: [1, 1, 1],
  });
  forgetHostCopies(backend, [counter]);
  return { values };
};
