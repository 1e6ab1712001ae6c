// Idea: partial products are added in the pass that does all else to single values.
// Cost: 4 bytes a value and part read, 4 written, and the additions' own; with LoRA's term 2 r operations a value, with dropout a draw for 4.

import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch } from '../webgpu/dispatch';
import { DROPOUT } from '../webgpu/philox';
import {
  ADDITION_UNIFORMS,
  additionBuffers,
  additionConstants,
  additionFunctions,
  additionTensors,
  additionUniforms,
  type AdditionConstants,
  type ProductAdditions,
} from './additions';
import { shaderVariants, spread } from '../webgpu/shader';
import { layout } from '../webgpu/layout';

type SplitSumConstants = AdditionConstants & Readonly<{ bias: boolean; transposed: boolean; workgroupSize: number }>;

/** LoRA's term of four neighbouring values: rows of the factor are the product's columns, or its rank. */
const term = ({ rank, innerParts, transposed }: SplitSumConstants): string => /* wgsl */ `
  let row = i / uniforms.columns;
  let column = i % uniforms.columns;
  var term = vec4f();
  for (var q = 0u; q < ${rank / 4}u; q++) {
    var a = vec4f();
    for (var part = 0u; part < ${innerParts}u; part++) { a += inner[(part * (uniforms.size / uniforms.columns) + row) * ${rank / 4}u + q]; }
    ${
      transposed
        ? [0, 1, 2, 3].map((e) => `term += a[${e}] * factor[(q * 4u + ${e}u) * uniforms.columns + column];`).join(' ')
        : `term += vec4f(${[0, 1, 2, 3].map((e) => `dot(a, factor[(column * 4u + ${e}u) * ${rank / 4}u + q])`).join(', ')});`
    }
  }
  term *= uniforms.factorScale;`;

/** Sum of partial products [splits, rows, columns] and the additions, four values a thread. */
export function splitSum(constants: SplitSumConstants) {
  const { bias, rank, masked, slope, residual, dropout, workgroupSize } = constants;
  const io = layout({
    uniforms: { size: 'u32', columns: 'u32', splits: 'u32', ...ADDITION_UNIFORMS },
    buffers: {
      partial: 'read array<vec4f>',
      product: 'write array<vec4f>',
      bias: bias ? 'read array<vec4f>' : undefined,
      ...additionBuffers(constants),
    },
  });
  return {
    layout: io,
    joining: { makes: { buffer: 'product', by: 'summed' } },
    code: /* wgsl */ `
${io.wgsl}
${additionFunctions(constants)}
${dropout ? DROPOUT : ''}
fn summed(i: u32) -> vec4f {
  var sum = partial[i];
  for (var s = 1u; s < uniforms.splits; s++) { sum += partial[s * uniforms.size + i]; }
  ${bias ? 'sum += bias[i % uniforms.columns];' : ''}
  ${rank > 0 ? term(constants) : ''}
  ${rank > 0 ? `sum += ${masked ? 'select(vec4f(), term * uniforms.keepScale, keepsOf(i))' : 'term'};` : ''}
  ${slope === 'linear' ? '' : 'sum *= activationSlope(activated[i]);'}
  ${dropout ? 'sum = select(vec4f(), sum * uniforms.dropoutScale, dropoutQuad(rowState(i / uniforms.columns), i % uniforms.columns, uniforms.site) >= vec4u(uniforms.threshold));' : ''}
  ${residual ? 'sum += residual[i];' : ''}
  return sum;
}
@compute @workgroup_size(${workgroupSize})
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (workgroup.y * workgroups.x + workgroup.x) * ${workgroupSize}u + lane;
  if (i >= uniforms.size) { return; }
  product[i] = summed(i);
}`,
  };
}

const shader = shaderVariants('split sum', splitSum);
const WORKGROUP_SIZE = 256;

export interface SplitSum {
  /** [splits, rows, columns]; rows * columns is a multiple of four, and with additions columns are. */
  readonly partial: TensorInfo;
  readonly product: TensorInfo;
  readonly additions?: ProductAdditions;
  /** Which way the additions' factor lies. */
  readonly transposed?: boolean;
}

/** Adds partial products and what is to be added besides into the product. */
export function addSplits(
  backend: WebGPUBackend,
  { partial, product, additions = {}, transposed = false }: SplitSum,
): void {
  const [splits, rows, columns] = partial.shape as [number, number, number];
  const values = (rows * columns) / 4;
  dispatch(backend, {
    shader: shader({
      bias: additions.bias !== undefined,
      transposed,
      workgroupSize: WORKGROUP_SIZE,
      ...additionConstants(additions),
    }),
    buffers: { partial, product, bias: additions.bias, ...additionTensors(additions) },
    uniforms: { size: values, columns: columns / 4, splits, ...additionUniforms(additions) },
    workgroups: spread(Math.ceil(values / WORKGROUP_SIZE)),
  });
}
