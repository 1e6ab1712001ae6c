import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch } from '../../webgpu/dispatch';
import { shaderVariants, spread } from '../../webgpu/shader';
import { u32 } from '../../webgpu/uniforms';

/** Sum of partial products [splits, rows, columns] and bias, four values a thread. */
export function splitSum({ bias, workgroupSize }: { bias: boolean; workgroupSize: number }): string {
  return /* wgsl */ `
struct Uniforms { size: u32, columns: u32, splits: u32 }
@group(0) @binding(0) var<storage, read> partial: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> product: array<vec4f>;
${bias ? '@group(0) @binding(2) var<storage, read> bias: array<vec4f>;' : ''}
@group(0) @binding(${bias ? 3 : 2}) var<uniform> uniforms: Uniforms;
@compute @workgroup_size(${workgroupSize})
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (workgroup.y * workgroups.x + workgroup.x) * ${workgroupSize}u + lane;
  if (i >= uniforms.size) { return; }
  var sum = partial[i];
  for (var s = 1u; s < uniforms.splits; s++) { sum += partial[s * uniforms.size + i]; }
  product[i] = sum${bias ? ' + bias[i % uniforms.columns]' : ''};
}`;
}

const shader = shaderVariants('split sum', splitSum);
const WORKGROUP_SIZE = 256;

/**
 * Adds partial products [splits, rows, columns] and the bias into the product; rows * columns is a multiple of four, and
 * so are the columns where there is a bias.
 */
export function addSplits(
  backend: WebGPUBackend,
  { partial, product, bias }: { partial: TensorInfo; product: TensorInfo; bias: TensorInfo | undefined },
): void {
  const [splits, rows, columns] = partial.shape as [number, number, number];
  const values = (rows * columns) / 4;
  dispatch(backend, {
    ...shader({ bias: bias !== undefined, workgroupSize: WORKGROUP_SIZE }),
    bindings: [partial, product, ...(bias === undefined ? [] : [bias])],
    uniforms: [values, columns / 4, splits].map(u32),
    workgroups: spread(Math.ceil(values / WORKGROUP_SIZE)),
  });
}
