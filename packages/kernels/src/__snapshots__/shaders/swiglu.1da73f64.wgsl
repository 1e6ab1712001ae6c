// swiglu {"vector":false,"backward":true}

struct Uniforms { threads: u32 }
@group(0) @binding(0) var<storage, read> gates: array<f32>;
@group(0) @binding(1) var<storage, read> ups: array<f32>;
@group(0) @binding(2) var<storage, read> slopes: array<f32>;
@group(0) @binding(3) var<storage, read_write> dgates: array<f32>;
@group(0) @binding(4) var<storage, read_write> dups: array<f32>;
@group(0) @binding(5) var<uniform> uniforms: Uniforms;
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32) {
  let i = (workgroup.y * workgroups.x + workgroup.x) * 256u + lane;
  if (i >= uniforms.threads) { return; }
  let gate = gates[i];
  let share = 1.0 / (1.0 + exp(clamp(-gate, f32(-87.0), f32(87.0))));
  let slope = slopes[i];
  dgates[i] = slope * ups[i] * share * (1.0 + gate * (1.0 - share));
  dups[i] = slope * gate * share;
}
