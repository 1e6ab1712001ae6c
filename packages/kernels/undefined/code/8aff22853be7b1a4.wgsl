
struct Uniforms { rows: u32, classes: u32, ignoreIndex: i32 }
@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<i32>;
@group(0) @binding(2) var<storage, read_write> probabilities: array<f32>;
@group(0) @binding(3) var<storage, read_write> losses: array<f32>;
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


fn notANumber(lane: u32) -> f32 { return bitcast<f32>(select(0x7fc00000u, 0u, lane > 0xfffffff0u)); }

var<workgroup> largestOf: array<f32, 32>;

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32) {
  let row = workgroup.y * workgroups.x + workgroup.x;
  if (row >= uniforms.rows) { return; }
  let start = row * uniforms.classes;
  var largest = -3.4e38;
  for (var k = lane; k < uniforms.classes; k += 32u) { largest = max(largest, logits[start + k]); }
  largestOf[lane] = largest;
  workgroupBarrier();
  for (var half = 16u; half > 0u; half >>= 1u) {
    if (lane < half) { largestOf[lane] = max(largestOf[lane], largestOf[lane + half]); }
    workgroupBarrier();
  }
  largest = largestOf[0];
  var sum = 0.0;
  for (var k = lane; k < uniforms.classes; k += 32u) { sum += exp(logits[start + k] - largest); }
  let total = workgroupSum(lane, sum);
  for (var k = lane; k < uniforms.classes; k += 32u) {
    probabilities[start + k] = exp(logits[start + k] - largest) / total;
  }
  if (lane == 0u) {
    let label = labels[row];
    var loss = 0.0;
    if (label != uniforms.ignoreIndex) {
      if (label < 0 || label >= i32(uniforms.classes)) {
        loss = notANumber(lane);
      } else {
        loss = log(total) + (largest - logits[start + u32(label)]);
      }
    }
    losses[row] = loss;
  }
}