import type { OpDefinition } from '../../engine/op';
import { dispatch, makeOutput } from '../../webgpu/dispatch';
import { shaderVariants, spread, WORKGROUP_INDEX, WORKGROUP_PARAMETERS } from '../../webgpu/shader';
import { u32 } from '../../webgpu/uniforms';
import { sizeOf, type Packed4bitAttributes, type Packed4bitInputs } from '../../four-bit/types';
import { ABSMAX_FIELDS, absmaxBindings, absmaxUniforms, absmaxWgsl, NIBBLE } from '../../four-bit/wgsl';

const WORKGROUP_SIZE = 128;

/** A thread a word of eight codes, which share a block: bound by what it writes. */
const shader = shaderVariants(
  'dequantize4bit',
  ({ nested }: { nested: boolean }) => /* wgsl */ `
struct Uniforms { size: u32, ${ABSMAX_FIELDS} }
@group(0) @binding(0) var<storage, read> packed: array<u32>;
@group(0) @binding(1) var<storage, read> code: array<f32>;
@group(0) @binding(2) var<storage, read_write> values: array<f32>;
${absmaxWgsl(nested, 3)}
@group(0) @binding(${nested ? 7 : 4}) var<uniform> uniforms: Uniforms;
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
);

export const webgpuDequantize4bit: NonNullable<OpDefinition<Packed4bitInputs, Packed4bitAttributes>['webgpu']> = (
  inputs,
  attributes,
  backend,
) => {
  const size = sizeOf(attributes.shape);
  const values = makeOutput(backend, [...attributes.shape]);
  dispatch(backend, {
    ...shader({ nested: inputs.nestedAbsmax !== undefined }),
    bindings: [inputs.packed, inputs.code, values, ...absmaxBindings(inputs)],
    uniforms: [u32(size), ...absmaxUniforms(attributes)],
    workgroups: spread(Math.ceil(size / 8 / WORKGROUP_SIZE)),
  });
  return [values];
};
