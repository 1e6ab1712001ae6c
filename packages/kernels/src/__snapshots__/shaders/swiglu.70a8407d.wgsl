// swiglu {"vector":true,"backward":false}

struct Uniforms { threads: u32 }
@group(0) @binding(0) var<storage, read> gates: array<vec4f>;
@group(0) @binding(1) var<storage, read> ups: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(3) var<uniform> uniforms: Uniforms;
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32) {
  let i = (workgroup.y * workgroups.x + workgroup.x) * 256u + lane;
  if (i >= uniforms.threads) { return; }
  let gate = gates[i];
  let share = 1.0 / (1.0 + exp(clamp(-gate, vec4f(-87.0), vec4f(87.0))));
  y[i] = gate * share * ups[i];
}
