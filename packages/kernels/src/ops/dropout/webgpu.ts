// Idea: the mask is drawn where it is applied, by a draw for eight elements, and never written.
// Cost: 8 bytes an element, 12 with a residual, and some 200 operations for eight elements.
// Measured: 35 us at 8,192 x 1,024 on an H200, 1.9 TB/s (bench/results/step.json, kernels, 64x128).

import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebgpuKernel } from '../../engine/op';
import { dropoutNumbers } from '../../random/dropout-stream';
import { dispatch, makeOutput } from '../../webgpu/dispatch';
import { DROPOUT, RANDOM_BUFFER } from '../../webgpu/philox';
import { WORKGROUP_INDEX, WORKGROUP_PARAMETERS, shaderVariants, spread } from '../../webgpu/shader';
import { layout } from '../../webgpu/layout';
import { rowsOf, type DropoutAddInputs, type DropoutAttributes, type DropoutInputs } from './types';

const WORKGROUP_SIZE = 256;
/** Elements one Philox call serves. */
const GROUP = 8;

/**
 * A thread draws one Philox block and handles the eight elements of a row that it decides on, as two vec4 where rows are of
 * whole blocks.
 */
const shader = shaderVariants('dropout', ({ vector, residual }: { vector: boolean; residual: boolean }) => {
  const type = vector ? 'vec4f' : 'f32';
  const io = layout({
    uniforms: { rows: 'u32', columns: 'u32', groups: 'u32', threshold: 'u32', keepScale: 'f32', site: 'u32' },
    buffers: {
      random: RANDOM_BUFFER,
      x: `read array<${type}>`,
      y: `write array<${type}>`,
      residual: residual ? `read array<${type}>` : undefined,
    },
  });
  return {
    layout: io,
    code: /* wgsl */ `
${io.wgsl}
${DROPOUT}
@compute @workgroup_size(${WORKGROUP_SIZE})
fn main(${WORKGROUP_PARAMETERS}) {
  let block = (${WORKGROUP_INDEX}) * ${WORKGROUP_SIZE}u + lane;
  let row = block / uniforms.groups;
  let group = block % uniforms.groups;
  if (row >= uniforms.rows) { return; }
  let words = dropoutWords(rowState(row), group, uniforms.site);
  let halves = array(words.xy, words.zw);
  ${
    vector
      ? [0, 1]
          .map(
            (half) => `{
    let at = block * 2u + ${half}u;
    let keep = dropoutBits(halves[${half}]) >= vec4u(uniforms.threshold);
    y[at] = ${residual ? 'residual[at] + ' : ''}select(vec4f(0.0), x[at] * uniforms.keepScale, keep);
  }`,
          )
          .join('\n  ')
      : `for (var half = 0u; half < 2u; half++) {
    let keep = dropoutBits(halves[half]) >= vec4u(uniforms.threshold);
    for (var i = 0u; i < 4u; i++) {
      let column = group * ${GROUP}u + half * 4u + i;
      let element = row * uniforms.columns + column;
      if (column < uniforms.columns) {
        y[element] = ${residual ? 'residual[element] + ' : ''}select(0.0, x[element] * uniforms.keepScale, keep[i]);
      }
    }
  }`
  }
}`,
  };
});

type Webgpu<Inputs extends DropoutInputs> = WebgpuKernel<Inputs, DropoutAttributes>;

function run(
  backend: Parameters<Webgpu<DropoutInputs>>[2],
  { x, residual, random }: { x: TensorInfo; residual?: TensorInfo; random: TensorInfo },
  { rate, site }: DropoutAttributes,
): TensorInfo {
  const { rows, columns } = rowsOf(x.shape);
  const groups = Math.ceil(columns / GROUP);
  const { threshold, keepScale } = dropoutNumbers(rate);
  const y = makeOutput(backend, x.shape);
  dispatch(backend, {
    shader: shader({ vector: columns % GROUP === 0, residual: residual !== undefined }),
    buffers: { random, x, y, residual },
    uniforms: { rows, columns, groups, threshold, keepScale, site },
    workgroups: spread(Math.ceil((rows * groups) / WORKGROUP_SIZE)),
  });
  return y;
}

export const webgpuDropout: Webgpu<DropoutInputs> = (inputs, attributes, backend) => run(backend, inputs, attributes);

export const webgpuDropoutAdd: Webgpu<DropoutAddInputs> = (inputs, attributes, backend) =>
  run(backend, inputs, attributes);
