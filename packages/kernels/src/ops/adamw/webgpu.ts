import { ADAMW_UNIFORMS, adamwFactors, adamwWords } from '../../optimizers/update-wgsl';
import { util, type TensorInfo } from '@tensorflow/tfjs-core';
import type { OpDefinition } from '../../engine/op';
import { dispatch, makeOutput } from '../../webgpu/dispatch';
import { shaderVariants, spread, WORKGROUP_INDEX, WORKGROUP_PARAMETERS } from '../../webgpu/shader';
import { f32, u32 } from '../../webgpu/uniforms';
import { forgetHostCopies } from '../../tfjs/in-place';
import { type AdamwInputs, type StepValuesAttributes, type StepValuesInputs } from './types';
import { STEP, STEP_SIZE, type AdamwAttributes } from '../../optimizers/step-values';

const THREADS = 256;

/** A thread takes one element, or four where the size allows. */
const shader = shaderVariants(
  'adamw',
  ({ vector }: { vector: boolean }) => /* wgsl */ `
alias T = ${vector ? 'vec4f' : 'f32'};
struct Uniforms { count: u32, ${ADAMW_UNIFORMS} }
@group(0) @binding(0) var<storage, read_write> parameter: array<T>;
@group(0) @binding(1) var<storage, read> gradient: array<T>;
@group(0) @binding(2) var<storage, read_write> m: array<T>;
@group(0) @binding(3) var<storage, read_write> v: array<T>;
@group(0) @binding(4) var<storage, read> step: array<f32>;
@group(0) @binding(5) var<uniform> uniforms: Uniforms;
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
);

/** In place. */
export const webgpuAdamw: NonNullable<OpDefinition<AdamwInputs, AdamwAttributes>['webgpu']> = (
  { parameter, gradient, m, v, step },
  attributes,
  backend,
) => {
  const size = util.sizeFromShape(parameter.shape);
  const vector = size % 4 === 0;
  const count = vector ? size / 4 : size;
  dispatch(backend, {
    ...shader({ vector }),
    bindings: [parameter, gradient, m, v, step],
    uniforms: [u32(count), ...adamwWords(attributes)],
    workgroups: spread(Math.ceil(count / THREADS)),
  });
  forgetHostCopies(backend, [parameter, m, v]);
  return [];
};

/**
 * One thread. 1 - beta^t = -expm1(t·ln beta); taken as 1 - exp it would lose what beta2 = 0.999 has to lose in float32,
 * so the series does it where t·ln beta is small.
 */
const stepValuesShader = shaderVariants(
  'adamw step values',
  ({ controlled }: { controlled: boolean }) => /* wgsl */ `
struct Uniforms { logBeta1: f32, logBeta2: f32 }
@group(0) @binding(0) var<storage, read> learningRate: array<f32>;
@group(0) @binding(1) var<storage, read_write> counter: array<f32>;
@group(0) @binding(2) var<storage, read_write> values: array<f32>;
${controlled ? '@group(0) @binding(3) var<storage, read> control: array<f32>;' : ''}
@group(0) @binding(${controlled ? 4 : 3}) var<uniform> uniforms: Uniforms;

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
);

export const webgpuStepValues: NonNullable<OpDefinition<StepValuesInputs, StepValuesAttributes>['webgpu']> = (
  { learningRate, counter, control },
  { beta1, beta2 },
  backend,
): TensorInfo[] => {
  const values = makeOutput(backend, [STEP_SIZE]);
  // ln 0 = -Infinity, which a shader need not know; e^-1e4 is 0 all the same.
  const log = (beta: number): number => Math.max(Math.log(beta), -1e4);
  dispatch(backend, {
    ...stepValuesShader({ controlled: control !== undefined }),
    bindings: [learningRate, counter, values, ...(control === undefined ? [] : [control])],
    uniforms: [f32(log(beta1)), f32(log(beta2))],
    workgroups: [1, 1, 1],
  });
  forgetHostCopies(backend, [counter]);
  return [values];
};
