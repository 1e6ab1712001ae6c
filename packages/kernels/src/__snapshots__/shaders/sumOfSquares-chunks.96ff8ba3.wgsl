// sumOfSquares chunks {}

struct Span { size: u32, offset: u32, start: u32 }
struct Uniforms { chunks: u32, offset: u32, tensors: u32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> spans: array<Span>;
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


fn lastStartingBy(at: u32, count: u32) -> u32 {
  var low = 0u;
  var high = count - 1u;
  while (low < high) {
    let middle = (low + high + 1u) / 2u;
    if (spans[middle].start <= at) { low = middle; } else { high = middle - 1u; }
  }
  return low;
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32) {
  let chunk = workgroup.y * workgroups.x + workgroup.x;
  if (chunk >= uniforms.chunks) { return; }
  let span = spans[lastStartingBy(chunk, uniforms.tensors)];
  let first = (chunk - span.start) * 4096u;
  let end = min(first + 4096u, span.size);
  var sum = 0.0;
  for (var i = first + lane; i < end; i += 256u) { sum += x[span.offset + i] * x[span.offset + i]; }
  let total = workgroupSum(lane, sum);
  if (lane == 0u) { partials[uniforms.offset + chunk] = total; }
}
