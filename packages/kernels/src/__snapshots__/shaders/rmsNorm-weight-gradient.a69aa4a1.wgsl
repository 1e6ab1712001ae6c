// rmsNorm weight gradient {}

struct Uniforms { rows: u32, columns: u32 }
@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> reciprocals: array<f32>;
@group(0) @binding(3) var<storage, read_write> dweight: array<f32>;
@group(0) @binding(4) var<uniform> uniforms: Uniforms;
var<workgroup> partials: array<f32, 256>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32) {
  let column = (workgroup.y * workgroups.x + workgroup.x) * 32u + lane % 32u;
  var sum = 0.0;
  if (column < uniforms.columns) {
    for (var row = lane / 32u; row < uniforms.rows; row += 8u) {
      let at = row * uniforms.columns + column;
      sum += dy[at] * x[at] * reciprocals[row];
    }
  }
  partials[lane] = sum;
  workgroupBarrier();
  if (lane < 32u && column < uniforms.columns) {
    for (var other = lane + 32u; other < 256u; other += 32u) { sum += partials[other]; }
    dweight[column] = sum;
  }
}
