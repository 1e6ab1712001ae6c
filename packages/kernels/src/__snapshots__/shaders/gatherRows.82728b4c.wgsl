// gatherRows {"vector":false}

struct Uniforms { count: u32, rowCount: u32, columns: u32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> rows: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> uniforms: Uniforms;

fn notANumber(lane: u32) -> f32 { return bitcast<f32>(select(0x7fc00000u, 0u, lane > 0xfffffff0u)); }

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32) {
  let place = workgroup.y * workgroups.x + workgroup.x;
  if (place >= uniforms.count) { return; }
  let row = rows[place];
  for (var c = lane; c < uniforms.columns; c += 64u) {
    var value = f32(notANumber(lane));
    if (row < uniforms.rowCount) { value = x[row * uniforms.columns + c]; }
    y[place * uniforms.columns + c] = value;
  }
}
