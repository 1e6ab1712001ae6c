
struct Uniforms { count: u32 }
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<uniform> uniforms: Uniforms;
@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32) {
  let index = workgroup.y * workgroups.x + workgroup.x;
  if (index < uniforms.count) { y[index] = f32(index + lane); }
}