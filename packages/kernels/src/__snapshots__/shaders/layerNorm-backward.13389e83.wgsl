// layerNorm backward {"threads":32,"vector":true,"adding":true}

alias T = vec4f;
struct Uniforms { rows: u32, columns: u32, elements: f32 }
@group(0) @binding(0) var<storage, read> dy: array<T>;
@group(0) @binding(1) var<storage, read> x: array<T>;
@group(0) @binding(2) var<storage, read> gamma: array<T>;
@group(0) @binding(3) var<storage, read> means: array<f32>;
@group(0) @binding(4) var<storage, read> reciprocalStds: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<T>;
@group(0) @binding(6) var<storage, read> residual: array<T>;
@group(0) @binding(7) var<uniform> uniforms: Uniforms;
fn laneSum(x: T) -> f32 { return dot(x, T(1.0)); }

var<workgroup> partialSums: array<vec2f, 32>;

fn workgroupSum(lane: u32, value: vec2f) -> vec2f {
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

fn firstOfDy(i: u32) -> T { return dy[i]; }
@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32) {
  let row = workgroup.y * workgroups.x + workgroup.x;
  if (row >= uniforms.rows) { return; }
  let start = row * uniforms.columns;
  let mean = means[row];
  let reciprocalStd = reciprocalStds[row];
  var scaledSum = T(0.0);
  var projectedSum = T(0.0);
  for (var c = lane; c < uniforms.columns; c += 32u) {
    let scaled = firstOfDy(start + c) * gamma[c];
    scaledSum += scaled;
    projectedSum += scaled * (x[start + c] - mean);
  }
  let sums = workgroupSum(lane, vec2f(laneSum(scaledSum), laneSum(projectedSum))) / uniforms.elements;
  let projected = sums.y * reciprocalStd * reciprocalStd;
  for (var c = lane; c < uniforms.columns; c += 32u) {
    let scaled = dy[start + c] * gamma[c];
    dx[start + c] = (scaled - sums.x - (x[start + c] - mean) * projected) * reciprocalStd + residual[start + c];
  }
}
