// matmul4bit bias {"workgroupSize":256}

struct Uniforms { size: u32, columns: u32 }
@group(0) @binding(0) var<storage, read_write> product: array<f32>;
@group(0) @binding(1) var<storage, read> bias: array<f32>;
@group(0) @binding(2) var<uniform> uniforms: Uniforms;
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32) {
  let i = (workgroup.y * workgroups.x + workgroup.x) * 256u + lane;
  if (i < uniforms.size) { product[i] += bias[i % uniforms.columns]; }
}
