
struct Entry { size: u32, start: u32, beta1: f32, weight1: f32, beta2: f32, weight2: f32, epsilon: f32, weightDecay: f32, learningRateScale: f32, v: u32, mAbsmax: u32, vAbsmax: u32 }
struct Uniforms { entry0: Entry, blocks: u32 }
@group(0) @binding(0) var<storage, read_write> parameter0: array<f32>;
@group(0) @binding(1) var<storage, read> gradient0: array<f32>;
@group(0) @binding(2) var<storage, read_write> state0: array<u32>;
@group(0) @binding(3) var<storage, read> tables: array<f32, 1024>;
@group(0) @binding(4) var<storage, read> step: array<f32>;
@group(0) @binding(5) var<uniform> uniforms: Uniforms;
// Bits of floats that are not negative have the floats' order.
var<workgroup> mLargest: atomic<u32>;
var<workgroup> vLargest: atomic<u32>;

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

fn update0(block: u32, lane: u32) {
  let constants = uniforms.entry0;
  
  let learningRate = step[0] * constants.learningRateScale;
  let decay = 1.0 - learningRate * constants.weightDecay;
  let stepSize = learningRate / step[1];
  let rootCorrection2 = step[2];
  let gradientScale = step[4];

  let word = block * 64u + lane;
  let start = word * 4u;
  var count = 0u;
  if (start < constants.size) { count = min(4u, constants.size - start); }
  var first = vec4f(0.0);
  var second = vec4f(0.0);
  if (count > 0u) {
    let mWord = state0[word];
    let vWord = state0[constants.v + word];
    for (var e = 0u; e < count; e++) {
      let scaled = gradient0[start + e] * gradientScale;
      if ((bitcast<u32>(scaled) & 0x7f800000u) == 0x7f800000u) { continue; }
      let before = tables[(mWord >> (e * 8u)) & 255u] * bitcast<f32>(state0[constants.mAbsmax + block]);
      let beforeSquare = tables[256u + ((vWord >> (e * 8u)) & 255u)] * bitcast<f32>(state0[constants.vAbsmax + block]);
      let next = before * constants.beta1 + constants.weight1 * scaled;
      let nextSquare = beforeSquare * constants.beta2 + constants.weight2 * scaled * scaled;
      let denominator = sqrt(nextSquare) / rootCorrection2 + constants.epsilon;
      let old = parameter0[start + e];
      let change = stepSize * next / denominator;
      parameter0[start + e] = (old - change) * decay;
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
    state0[word] = wordOf(512u, first, mScale, count);
    state0[constants.v + word] = wordOf(768u, second, vScale, count);
  }
  // Every thread has read the old absmax before the barrier.
  if (lane == 0u) {
    state0[constants.mAbsmax + block] = bitcast<u32>(mScale);
    state0[constants.vAbsmax + block] = bitcast<u32>(vScale);
  }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32) {
  let block = workgroup.y * workgroups.x + workgroup.x;
  if (block >= uniforms.blocks || step[5] == 0.0) { return; }
  // WGSL promises zeros here; SwiftShader leaves what the workgroup before left.
  if (lane == 0u) {
    atomicStore(&mLargest, 0u);
    atomicStore(&vLargest, 0u);
  }
  workgroupBarrier();
  if (block >= uniforms.entry0.start) { update0(block - uniforms.entry0.start, lane); }
}