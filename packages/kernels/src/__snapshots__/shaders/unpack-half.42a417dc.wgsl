// unpack half {"vector":false}

struct Uniforms { size: u32, groups: u32 }
@group(0) @binding(0) var<storage, read> halves: array<u32>;
@group(0) @binding(1) var<storage, read_write> x: array<f32>;
@group(0) @binding(2) var<uniform> uniforms: Uniforms;
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32) {
  let i = (workgroup.y * workgroups.x + workgroup.x) * 256u + lane;
  if (i >= uniforms.groups) { return; }
  let word = halves[i];
  let pair = unpack2x16float(word);
  x[2u * i] = pair.x;
  if (2u * i + 1u < uniforms.size) { x[2u * i + 1u] = pair.y; }
}
