
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

var<workgroup> partialSums: array<f32, 64>;

fn workgroupSum(lane: u32, value: f32) -> f32 {
  partialSums[lane] = value;
  workgroupBarrier();
  for (var half = 32u; half > 0u; half >>= 1u) {
    if (lane < half) { partialSums[lane] += partialSums[lane + half]; }
    workgroupBarrier();
  }
  let total = partialSums[0];
  workgroupBarrier();
  return total;
}


fn notANumber(lane: u32) -> f32 { return bitcast<f32>(select(0x7fc00000u, 0u, lane > 0xfffffff0u)); }

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32) {
  let first = workgroupSum(lane, x[lane]);
  let second = workgroupSum(lane, first);
  if (lane == 0u) { y[0] = first; y[1] = second; y[2] = notANumber(lane); }
}