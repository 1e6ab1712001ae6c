// unpack half {"vector":true}

struct Uniforms { size: u32, groups: u32 }
@group(0) @binding(0) var<storage, read> halves: array<vec4u>;
@group(0) @binding(1) var<storage, read_write> x: array<vec4f>;
@group(0) @binding(2) var<uniform> uniforms: Uniforms;
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32) {
  let i = (workgroup.y * workgroups.x + workgroup.x) * 256u + lane;
  if (i >= uniforms.groups) { return; }
  let word = halves[i];
  x[2u * i] = vec4f(unpack2x16float(word.x), unpack2x16float(word.y));
  x[2u * i + 1u] = vec4f(unpack2x16float(word.z), unpack2x16float(word.w));
}
