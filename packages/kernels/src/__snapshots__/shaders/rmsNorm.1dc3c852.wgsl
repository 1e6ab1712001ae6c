// rmsNorm {"threads":32,"vector":true}

struct Uniforms { rows: u32, columns: u32, elements: f32, epsilon: f32 }
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> weight: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> reciprocals: array<f32>;
@group(0) @binding(4) var<uniform> uniforms: Uniforms;

var<workgroup> partialSums: array<f32, 32>;

fn workgroupSum(lane: u32, value: f32) -> f32 {
  partialSums[lane] = value;
  workgroupBarrier();
  for (var half = 16u; half > 0u; half >>= 1u) {
    if (lane < half) { partialSums[lane] += partialSums[lane + half]; }
    workgroupBarrier();
  }
  let total = partialSums[0];
  workgroupBarrier();
  return total;
}

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32) {
  let row = workgroup.y * workgroups.x + workgroup.x;
  if (row >= uniforms.rows) { return; }
  let start = row * uniforms.columns;
  var squares = 0.0;
  for (var c = lane; c < uniforms.columns; c += 32u) {
    let value = x[start + c];
    squares += dot(value, value);
  }
  let reciprocal = 1.0 / sqrt(workgroupSum(lane, squares) / uniforms.elements + uniforms.epsilon);
  for (var c = lane; c < uniforms.columns; c += 32u) { y[start + c] = x[start + c] * reciprocal * weight[c]; }
  if (lane == 0u) { reciprocals[row] = reciprocal; }
}
