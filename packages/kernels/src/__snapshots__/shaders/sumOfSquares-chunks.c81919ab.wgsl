// sumOfSquares chunks {"tensors":2}

struct Uniforms { chunks: u32, offset: u32, size0: u32, start0: u32, size1: u32, start1: u32 }
@group(0) @binding(0) var<storage, read> x0: array<f32>;
@group(0) @binding(1) var<storage, read> x1: array<f32>;
@group(0) @binding(2) var<storage, read_write> partials: array<f32>;
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


fn squares0(chunk: u32, lane: u32) -> f32 {
  let end = min((chunk + 1u) * 4096u, uniforms.size0);
  var sum = 0.0;
  for (var i = chunk * 4096u + lane; i < end; i += 256u) { sum += x0[i] * x0[i]; }
  return sum;
}
fn squares1(chunk: u32, lane: u32) -> f32 {
  let end = min((chunk + 1u) * 4096u, uniforms.size1);
  var sum = 0.0;
  for (var i = chunk * 4096u + lane; i < end; i += 256u) { sum += x1[i] * x1[i]; }
  return sum;
}
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32) {
  let chunk = workgroup.y * workgroups.x + workgroup.x;
  if (chunk >= uniforms.chunks) { return; }
  var sum = 0.0;
  if (chunk >= uniforms.start1) { sum = squares1(chunk - uniforms.start1, lane); } else if (chunk >= uniforms.start0) { sum = squares0(chunk - uniforms.start0, lane); }
  let total = workgroupSum(lane, sum);
  if (lane == 0u) { partials[uniforms.offset + chunk] = total; }
}
