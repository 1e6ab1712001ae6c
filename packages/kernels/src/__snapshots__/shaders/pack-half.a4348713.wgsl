// pack half {"vector":false}

struct Uniforms { size: u32, groups: u32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> halves: array<u32>;
@group(0) @binding(2) var<uniform> uniforms: Uniforms;
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32) {
  let i = (workgroup.y * workgroups.x + workgroup.x) * 256u + lane;
  if (i >= uniforms.groups) { return; }
  var pair = vec2f(x[2u * i], 0.0);
  if (2u * i + 1u < uniforms.size) { pair.y = x[2u * i + 1u]; }
  halves[i] = pack2x16float(clamp(pair, vec2f(-65504.0), vec2f(65504.0)));
}
