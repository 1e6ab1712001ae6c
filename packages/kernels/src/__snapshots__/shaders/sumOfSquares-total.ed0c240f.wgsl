// sumOfSquares total {}

struct Uniforms { count: u32 }
@group(0) @binding(0) var<storage, read> partials: array<f32>;
@group(0) @binding(1) var<storage, read_write> total: array<f32>;
@group(0) @binding(2) var<uniform> uniforms: Uniforms;

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

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var i = lane; i < uniforms.count; i += 256u) { sum += partials[i]; }
  let result = workgroupSum(lane, sum);
  if (lane == 0u) { total[0] = result; }
}
