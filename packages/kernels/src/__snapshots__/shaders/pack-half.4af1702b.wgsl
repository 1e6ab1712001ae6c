// pack half {"vector":true}

struct Uniforms { size: u32, groups: u32 }
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> halves: array<vec4u>;
@group(0) @binding(2) var<uniform> uniforms: Uniforms;
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32) {
  let i = (workgroup.y * workgroups.x + workgroup.x) * 256u + lane;
  if (i >= uniforms.groups) { return; }
  let low = x[2u * i];
  let high = x[2u * i + 1u];
  halves[i] = vec4u(pack2x16float(clamp(low.xy, vec2f(-65504.0), vec2f(65504.0))), pack2x16float(clamp(low.zw, vec2f(-65504.0), vec2f(65504.0))), pack2x16float(clamp(high.xy, vec2f(-65504.0), vec2f(65504.0))), pack2x16float(clamp(high.zw, vec2f(-65504.0), vec2f(65504.0))));
}
