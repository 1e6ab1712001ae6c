// clipControl {"scaled":false,"clipped":false}

struct Uniforms { maxNorm: f32, zero: u32, count: u32 }
@group(0) @binding(0) var<storage, read> sumSquares: array<f32>;
@group(0) @binding(1) var<storage, read_write> norm: array<f32>;
@group(0) @binding(2) var<storage, read_write> control: array<f32>;
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

fn isFinite(value: f32) -> bool { return (bitcast<u32>(value) & 0x7f800000u) != 0x7f800000u; }

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var i = lane; i < uniforms.count; i += 256u) { sum += sumSquares[i]; }
  let squares = workgroupSum(lane, sum);
  if (lane > 0u) { return; }
  let scale = 1.0;
  let root = sqrt(squares) / scale;
  let finite = isFinite(squares) && isFinite(root);
  norm[0] = select(bitcast<f32>(bitcast<u32>(squares) ^ uniforms.zero), root, finite);
  let clip = 1.0;
  control[0] = select(0.0, clip / scale, finite);
  control[1] = select(0.0, 1.0, finite);
}
