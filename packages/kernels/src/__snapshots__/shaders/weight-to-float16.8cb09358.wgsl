// weight to float16 {"nested":true,"blockShift":6,"nestedShift":8}


enable f16;
enable subgroups;
enable chromium_experimental_subgroup_matrix;
diagnostic(off, chromium.subgroup_matrix_uniformity);
diagnostic(off, subgroup_uniformity);

struct Uniforms { words: u32 }
@group(0) @binding(0) var<storage, read_write> weight: array<vec4u>;
@group(0) @binding(1) var<storage, read> packed: array<u32>;
@group(0) @binding(2) var<storage, read> code: array<f32>;
@group(0) @binding(3) var<storage, read> absmax: array<u32>;
@group(0) @binding(4) var<storage, read> nestedAbsmax: array<f32>;
@group(0) @binding(5) var<storage, read> nestedCode: array<f32>;
@group(0) @binding(6) var<storage, read> nestedOffset: array<f32>;
@group(0) @binding(7) var<uniform> uniforms: Uniforms;

alias Left = subgroup_matrix_left<f16, 16, 16>;
alias Right = subgroup_matrix_right<f16, 16, 16>;
alias Sum = subgroup_matrix_result<f32, 16, 16>;
fn pack(pair: vec2f) -> u32 { return bitcast<u32>(vec2<f16>(pair)); }
fn pack4(quad: vec4f) -> vec2u { return vec2u(pack(quad.xy), pack(quad.zw)); }
fn pack8(low: vec4f, high: vec4f) -> vec4u { return vec4u(pack(low.xy), pack(low.zw), pack(high.xy), pack(high.zw)); }



fn two(word: u32, at: u32, scale: f32, level: f32) -> u32 {
  return pack(vec2f(subgroupShuffle(level, (word >> (at + 4u)) & 15u), subgroupShuffle(level, (word >> at) & 15u)) * scale);
}
fn dequantize(word: u32, scale: f32, level: f32) -> vec4u {
  return vec4u(two(word, 0u, scale, level), two(word, 8u, scale, level), two(word, 16u, scale, level), two(word, 24u, scale, level));
}
fn halfWeights(group: u32, words: u32, thread: u32) {
  let level = code[thread & 15u];
  
  let i0 = min((group * 4u + 0u) * 256u + thread, words - 1u);
  let block0 = (i0 * 8u) >> 6u;
  let codes0 = packed[i0];
  let absmaxWord0 = absmax[block0 >> 2u]; let nested0 = nestedAbsmax[block0 >> 8u];
  let i1 = min((group * 4u + 1u) * 256u + thread, words - 1u);
  let block1 = (i1 * 8u) >> 6u;
  let codes1 = packed[i1];
  let absmaxWord1 = absmax[block1 >> 2u]; let nested1 = nestedAbsmax[block1 >> 8u];
  let i2 = min((group * 4u + 2u) * 256u + thread, words - 1u);
  let block2 = (i2 * 8u) >> 6u;
  let codes2 = packed[i2];
  let absmaxWord2 = absmax[block2 >> 2u]; let nested2 = nestedAbsmax[block2 >> 8u];
  let i3 = min((group * 4u + 3u) * 256u + thread, words - 1u);
  let block3 = (i3 * 8u) >> 6u;
  let codes3 = packed[i3];
  let absmaxWord3 = absmax[block3 >> 2u]; let nested3 = nestedAbsmax[block3 >> 8u];
  let level0 = nestedCode[(absmaxWord0 >> ((block0 & 3u) * 8u)) & 255u];
  let level1 = nestedCode[(absmaxWord1 >> ((block1 & 3u) * 8u)) & 255u];
  let level2 = nestedCode[(absmaxWord2 >> ((block2 & 3u) * 8u)) & 255u];
  let level3 = nestedCode[(absmaxWord3 >> ((block3 & 3u) * 8u)) & 255u];
  weight[i0] = dequantize(codes0, fma(level0, nested0, nestedOffset[0]), level);
  weight[i1] = dequantize(codes1, fma(level1, nested1, nestedOffset[0]), level);
  weight[i2] = dequantize(codes2, fma(level2, nested2, nestedOffset[0]), level);
  weight[i3] = dequantize(codes3, fma(level3, nested3, nestedOffset[0]), level);
}
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32) { halfWeights(workgroup.y * workgroups.x + workgroup.x, uniforms.words, lane); }
