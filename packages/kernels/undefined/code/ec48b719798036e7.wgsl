
struct Uniforms { rows: u32, classes: u32, ignoreIndex: i32 }
@group(0) @binding(0) var<storage, read> dy: f32;
@group(0) @binding(1) var<storage, read> probabilities: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<i32>;
@group(0) @binding(3) var<storage, read_write> dlogits: array<f32>;
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

fn countedRows(lane: u32) -> f32 {
  var count = 0.0;
  for (var row = lane; row < uniforms.rows; row += 32u) {
    count += select(0.0, 1.0, labels[row] != uniforms.ignoreIndex);
  }
  return workgroupSum(lane, count);
}

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32) {
  let slope = dy / countedRows(lane);
  let row = workgroup.y * workgroups.x + workgroup.x;
  if (row >= uniforms.rows) { return; }
  let label = labels[row];
  let start = row * uniforms.classes;
  for (var k = lane; k < uniforms.classes; k += 32u) {
    let difference = probabilities[start + k] - select(0.0, 1.0, i32(k) == label);
    dlogits[start + k] = select(difference * slope, 0.0, label == uniforms.ignoreIndex);
  }
}