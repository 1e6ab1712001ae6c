// dequantizeBlockwise {}

struct Uniforms { size: u32, blocksize: u32 }
@group(0) @binding(0) var<storage, read> quantized: array<u32>;
@group(0) @binding(1) var<storage, read> absmax: array<f32>;
@group(0) @binding(2) var<storage, read> code: array<f32>;
@group(0) @binding(3) var<storage, read_write> values: array<f32>;
@group(0) @binding(4) var<uniform> uniforms: Uniforms;
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32) {
  let i = (workgroup.y * workgroups.x + workgroup.x) * 64u + lane;
  if (i * 4u >= uniforms.size) { return; }
  let word = quantized[i];
  for (var e = i * 4u; e < min(i * 4u + 4u, uniforms.size); e++) {
    values[e] = code[(word >> ((e & 3u) * 8u)) & 255u] * absmax[e / uniforms.blocksize];
  }
}
