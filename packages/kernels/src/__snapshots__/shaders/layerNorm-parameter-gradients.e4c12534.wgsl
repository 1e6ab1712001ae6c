// layerNorm parameter gradients {}

struct Uniforms { rows: u32, columns: u32 }
@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> means: array<f32>;
@group(0) @binding(3) var<storage, read> reciprocalStds: array<f32>;
@group(0) @binding(4) var<storage, read_write> dgamma: array<f32>;
@group(0) @binding(5) var<storage, read_write> dbeta: array<f32>;
@group(0) @binding(6) var<uniform> uniforms: Uniforms;
var<workgroup> partials: array<vec2f, 256>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32) {
  let column = (workgroup.y * workgroups.x + workgroup.x) * 32u + lane % 32u;
  var sums = vec2f(0.0);
  if (column < uniforms.columns) {
    for (var row = lane / 32u; row < uniforms.rows; row += 8u) {
      let slope = dy[row * uniforms.columns + column];
      let normalised = (x[row * uniforms.columns + column] - means[row]) * reciprocalStds[row];
      sums += vec2f(slope * normalised, slope);
    }
  }
  partials[lane] = sums;
  workgroupBarrier();
  if (lane < 32u && column < uniforms.columns) {
    for (var other = lane + 32u; other < 256u; other += 32u) { sums += partials[other]; }
    dgamma[column] = sums.x;
    dbeta[column] = sums.y;
  }
}
