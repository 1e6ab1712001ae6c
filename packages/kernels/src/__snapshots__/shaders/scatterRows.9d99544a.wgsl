// scatterRows {"vector":true}

struct Uniforms { count: u32, rowCount: u32, columns: u32 }
@group(0) @binding(0) var<storage, read> dy: array<vec4f>;
@group(0) @binding(1) var<storage, read> rows: array<u32>;
@group(0) @binding(2) var<storage, read_write> dx: array<vec4f>;
@group(0) @binding(3) var<uniform> uniforms: Uniforms;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32) {
  let row = workgroup.y * workgroups.x + workgroup.x;
  if (row >= uniforms.rowCount) { return; }
  for (var c = lane; c < uniforms.columns; c += 64u) {
    var total = vec4f(0.0);
    for (var i = 0u; i < uniforms.count; i++) {
      if (rows[i] == row) { total += dy[i * uniforms.columns + c]; }
    }
    dx[row * uniforms.columns + c] = total;
  }
}
