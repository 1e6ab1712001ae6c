// layerNorm {"threads":32,"vector":true}

alias T = vec4f;
struct Uniforms { rows: u32, columns: u32, elements: f32, epsilon: f32 }
@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read> gamma: array<T>;
@group(0) @binding(2) var<storage, read> beta: array<T>;
@group(0) @binding(3) var<storage, read_write> y: array<T>;
@group(0) @binding(4) var<storage, read_write> means: array<f32>;
@group(0) @binding(5) var<storage, read_write> reciprocalStds: array<f32>;
@group(0) @binding(6) var<uniform> uniforms: Uniforms;
fn laneSum(x: T) -> f32 { return dot(x, T(1.0)); }

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

fn firstOfX(i: u32) -> T { return x[i]; }
@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32) {
  let row = workgroup.y * workgroups.x + workgroup.x;
  if (row >= uniforms.rows) { return; }
  let start = row * uniforms.columns;
  var sum = T(0.0);
  for (var c = lane; c < uniforms.columns; c += 32u) { sum += firstOfX(start + c); }
  let mean = workgroupSum(lane, laneSum(sum)) / uniforms.elements;
  var squares = T(0.0);
  for (var c = lane; c < uniforms.columns; c += 32u) {
    let centred = x[start + c] - mean;
    squares += centred * centred;
  }
  let variance = workgroupSum(lane, laneSum(squares)) / uniforms.elements;
  let reciprocalStd = 1.0 / sqrt(variance + uniforms.epsilon);
  for (var c = lane; c < uniforms.columns; c += 32u) {
    y[start + c] = (x[start + c] - mean) * reciprocalStd * gamma[c] + beta[c];
  }
  if (lane == 0u) {
    means[row] = mean;
    reciprocalStds[row] = reciprocalStd;
  }
}
