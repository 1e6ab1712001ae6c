// adamw8bit {"arithmetic":"cuda"}

struct Entry { size: u32, start: u32, beta1: f32, weight1: f32, beta2: f32, weight2: f32, epsilon: f32, weightDecay: f32, learningRateScale: f32, parameter: u32, gradient: u32, m: u32, v: u32, mAbsmax: u32, vAbsmax: u32 }
struct Uniforms { blocks: u32, entries: u32 }
@group(0) @binding(0) var<storage, read_write> parameters: array<f32>;
@group(0) @binding(1) var<storage, read> gradients: array<f32>;
@group(0) @binding(2) var<storage, read_write> states: array<u32>;
@group(0) @binding(3) var<storage, read> entries: array<Entry>;
@group(0) @binding(4) var<storage, read> tables: array<f32, 1024>;
@group(0) @binding(5) var<storage, read> step: array<f32>;
@group(0) @binding(6) var<uniform> uniforms: Uniforms;
// Bits of floats that are not negative have the floats' order.
var<workgroup> mLargest: atomic<u32>;
var<workgroup> vLargest: atomic<u32>;

fn lastStartingBy(at: u32, count: u32) -> u32 {
  var low = 0u;
  var high = count - 1u;
  while (low < high) {
    let middle = (low + high + 1u) / 2u;
    if (entries[middle].start <= at) { low = middle; } else { high = middle - 1u; }
  }
  return low;
}

fn codeOf(bounds: u32, scaled: f32) -> u32 {
  let searched = scaled;
  var low = 0u;
  var high = 255u;
  while (low < high) {
    let middle = (low + high) >> 1u;
    if (tables[bounds + middle] < searched) { low = middle + 1u; } else { high = middle; }
  }
  return low;
}

fn wordOf(bounds: u32, values: vec4f, absmax: f32, count: u32) -> u32 {
  
  let reciprocal = 1.0 / max(absmax, 1e-37);
  var word = 0u;
  for (var e = 0u; e < count; e++) {
    word |= codeOf(bounds, clamp(values[e] * reciprocal, -1.0, 1.0)) << (e * 8u);
  }
  return word;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32) {
  let number = workgroup.y * workgroups.x + workgroup.x;
  if (number >= uniforms.blocks || step[5] == 0.0) { return; }
  // WGSL promises zeros here; SwiftShader leaves what the workgroup before left.
  if (lane == 0u) {
    atomicStore(&mLargest, 0u);
    atomicStore(&vLargest, 0u);
  }
  workgroupBarrier();
  let entry = entries[lastStartingBy(number, uniforms.entries)];
  let block = number - entry.start;
  
  let learningRate = step[0] * entry.learningRateScale;
  let decay = 1.0 - learningRate * entry.weightDecay;
  let stepSize = learningRate / step[1];
  let rootCorrection2 = step[2];
  let gradientScale = step[4];

  let word = block * 64u + lane;
  let start = word * 4u;
  var count = 0u;
  if (start < entry.size) { count = min(4u, entry.size - start); }
  var first = vec4f(0.0);
  var second = vec4f(0.0);
  if (count > 0u) {
    let mWord = states[entry.m + word];
    let vWord = states[entry.v + word];
    for (var e = 0u; e < count; e++) {
      let scaled = gradients[entry.gradient + start + e] * gradientScale;
      if ((bitcast<u32>(scaled) & 0x7f800000u) == 0x7f800000u) { continue; }
      let before = tables[(mWord >> (e * 8u)) & 255u] * bitcast<f32>(states[entry.mAbsmax + block]);
      let beforeSquare = tables[256u + ((vWord >> (e * 8u)) & 255u)] * bitcast<f32>(states[entry.vAbsmax + block]);
      let next = before * entry.beta1 + entry.weight1 * scaled;
      let nextSquare = beforeSquare * entry.beta2 + entry.weight2 * scaled * scaled;
      let denominator = sqrt(nextSquare) / rootCorrection2 + entry.epsilon;
      let old = parameters[entry.parameter + start + e];
      let change = stepSize * next / denominator;
      parameters[entry.parameter + start + e] = (old - change) * decay;
      first[e] = next;
      second[e] = nextSquare;
    }
  }
  let magnitudes = abs(first);
  atomicMax(&mLargest, bitcast<u32>(max(max(magnitudes.x, magnitudes.y), max(magnitudes.z, magnitudes.w))));
  atomicMax(&vLargest, bitcast<u32>(max(max(second.x, second.y), max(second.z, second.w))));
  workgroupBarrier();
  let mScale = bitcast<f32>(atomicLoad(&mLargest));
  let vScale = bitcast<f32>(atomicLoad(&vLargest));
  if (count > 0u) {
    states[entry.m + word] = wordOf(512u, first, mScale, count);
    states[entry.v + word] = wordOf(768u, second, vScale, count);
  }
  // Every thread has read the old absmax before the barrier.
  if (lane == 0u) {
    states[entry.mAbsmax + block] = bitcast<u32>(mScale);
    states[entry.vAbsmax + block] = bitcast<u32>(vScale);
  }
}
