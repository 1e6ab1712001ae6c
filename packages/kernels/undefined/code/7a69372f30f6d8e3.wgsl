
struct Uniforms { rows: u32, ignoreIndex: i32 }
@group(0) @binding(0) var<storage, read> losses: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<i32>;
@group(0) @binding(2) var<storage, read_write> loss: f32;
@group(0) @binding(3) var<uniform> uniforms: Uniforms;

var<workgroup> partialSums: array<f32, 256>;

fn workgroupSum(lane: u32, value: f32) -> f32 {
  partialSums[lane] = value;
  workgroupBarrier();
  for (var half = 128u; half > 0u; half >>= 1u) {
    if (lane < half) { partialSums[lane] += partialSums[lane + half]; }
    workgroupBarrier();
  }
  let total = partialSums[0];
  workgroupBarrier();
  return total;
}


fn countedRows(lane: u32) -> f32 {
  var count = 0.0;
  for (var row = lane; row < uniforms.rows; row += 256u) {
    count += select(0.0, 1.0, labels[row] != uniforms.ignoreIndex);
  }
  return workgroupSum(lane, count);
}


fn notANumber(lane: u32) -> f32 { return bitcast<f32>(select(0x7fc00000u, 0u, lane > 0xfffffff0u)); }

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var row = lane; row < uniforms.rows; row += 256u) { sum += losses[row]; }
  let total = workgroupSum(lane, sum);
  let count = countedRows(lane);
  if (lane == 0u) {
    loss = total / count;
    if (count == 0.0) { loss = notANumber(lane); }
  }
}