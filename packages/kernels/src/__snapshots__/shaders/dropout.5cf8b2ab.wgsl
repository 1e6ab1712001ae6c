// dropout {"vector":true,"residual":false}

struct Uniforms { size: u32, threshold: u32, keepScale: f32, site: u32 }
@group(0) @binding(0) var<storage, read> random: vec4i;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(3) var<uniform> uniforms: Uniforms;

fn multiplyHigh(a: u32, b: u32) -> u32 {
  let aLow = a & 0xffffu;
  let aHigh = a >> 16u;
  let bLow = b & 0xffffu;
  let bHigh = b >> 16u;
  let middle = aHigh * bLow + ((aLow * bLow) >> 16u);
  let cross = aLow * bHigh + (middle & 0xffffu);
  return aHigh * bHigh + (middle >> 16u) + (cross >> 16u);
}

fn philox4x32(start: vec4u, startKey: vec2u) -> vec4u {
  var counter = start;
  var key = startKey;
  for (var round = 0; round < 7; round++) {
    let high0 = multiplyHigh(0xd2511f53u, counter.x);
    let low0 = 0xd2511f53u * counter.x;
    let high1 = multiplyHigh(0xcd9e8d57u, counter.z);
    let low1 = 0xcd9e8d57u * counter.z;
    counter = vec4u(high1 ^ counter.y ^ key.x, low1, high0 ^ counter.w ^ key.y, low0);
    key += vec2u(0x9e3779b9u, 0xbb67ae85u);
  }
  return counter;
}

// The random words of elements 8 * group .. 8 * group + 7, two elements a word; random is (seed low, seed high, step,
// micro-batch).
fn dropoutWords(random: vec4i, group: u32, site: u32) -> vec4u {
  let state = bitcast<vec4u>(random);
  return philox4x32(vec4u(group, site, state.z, state.w), state.xy);
}

// Two words as the 16 bits of four elements.
fn dropoutBits(words: vec2u) -> vec4u { return vec4u(words.x & 0xffffu, words.x >> 16u, words.y & 0xffffu, words.y >> 16u); }

// The random bits of elements 4 * quad .. 4 * quad + 3, for who has no use for all eight of a draw.
fn dropoutQuad(random: vec4i, quad: u32, site: u32) -> vec4u {
  let words = dropoutWords(random, quad >> 1u, site);
  return dropoutBits(select(words.xy, words.zw, (quad & 1u) == 1u));
}

fn dropoutElement(random: vec4i, element: u32, site: u32) -> u32 {
  return dropoutQuad(random, element >> 2u, site)[element & 3u];
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32) {
  let group = (workgroup.y * workgroups.x + workgroup.x) * 256u + lane;
  if (group * 8u >= uniforms.size) { return; }
  let words = dropoutWords(random, group, uniforms.site);
  let halves = array(words.xy, words.zw);
  {
    let at = group * 2u + 0u;
    let keep = dropoutBits(halves[0]) >= vec4u(uniforms.threshold);
    y[at] = select(vec4f(0.0), x[at] * uniforms.keepScale, keep);
  }
  {
    let at = group * 2u + 1u;
    let keep = dropoutBits(halves[1]) >= vec4u(uniforms.threshold);
    y[at] = select(vec4f(0.0), x[at] * uniforms.keepScale, keep);
  }
}
