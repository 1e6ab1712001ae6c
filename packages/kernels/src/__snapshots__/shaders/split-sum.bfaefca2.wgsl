// split sum {"bias":true,"transposed":false,"workgroupSize":256,"rank":8,"innerParts":1,"masked":false,"slope":"linear","residual":true,"dropout":true}

struct Uniforms { size: u32, columns: u32, splits: u32, factorScale: f32, keepScale: f32, threshold: u32, site: u32, dropoutScale: f32 }
@group(0) @binding(0) var<storage, read> partial: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> product: array<vec4f>;
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;
@group(0) @binding(3) var<storage, read> inner: array<vec4f>;
@group(0) @binding(4) var<storage, read> factor: array<vec4f>;
@group(0) @binding(5) var<storage, read> residual: array<vec4f>;
@group(0) @binding(6) var<storage, read> random: array<i32>;
@group(0) @binding(7) var<uniform> uniforms: Uniforms;


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


// What a row of the random state draws with: seed low, seed high, step, the row's number.
fn rowState(row: u32) -> vec4u {
  return bitcast<vec4u>(vec4i(random[0], random[1], random[2], random[4u + row]));
}

// The random words of elements 8 * group .. 8 * group + 7 of a row, two elements a word.
fn dropoutWords(state: vec4u, group: u32, site: u32) -> vec4u {
  return philox4x32(vec4u(group, site, state.z, state.w), state.xy);
}

// Two words as the 16 bits of four elements.
fn dropoutBits(words: vec2u) -> vec4u { return vec4u(words.x & 0xffffu, words.x >> 16u, words.y & 0xffffu, words.y >> 16u); }

// The random bits of elements 4 * quad .. 4 * quad + 3 of a row, for who has no use for all eight of a draw.
fn dropoutQuad(state: vec4u, quad: u32, site: u32) -> vec4u {
  let words = dropoutWords(state, quad >> 1u, site);
  return dropoutBits(select(words.xy, words.zw, (quad & 1u) == 1u));
}

fn dropoutElement(state: vec4u, element: u32, site: u32) -> u32 {
  return dropoutQuad(state, element >> 2u, site)[element & 3u];
}

fn summed(i: u32) -> vec4f {
  var sum = partial[i];
  for (var s = 1u; s < uniforms.splits; s++) { sum += partial[s * uniforms.size + i]; }
  sum += bias[i % uniforms.columns];
  
  let row = i / uniforms.columns;
  let column = i % uniforms.columns;
  var term = vec4f();
  for (var q = 0u; q < 2u; q++) {
    var a = vec4f();
    for (var part = 0u; part < 1u; part++) { a += inner[(part * (uniforms.size / uniforms.columns) + row) * 2u + q]; }
    term += vec4f(dot(a, factor[(column * 4u + 0u) * 2u + q]), dot(a, factor[(column * 4u + 1u) * 2u + q]), dot(a, factor[(column * 4u + 2u) * 2u + q]), dot(a, factor[(column * 4u + 3u) * 2u + q]));
  }
  term *= uniforms.factorScale;
  sum += term;
  
  sum = select(vec4f(), sum * uniforms.dropoutScale, dropoutQuad(rowState(i / uniforms.columns), i % uniforms.columns, uniforms.site) >= vec4u(uniforms.threshold));
  sum += residual[i];
  return sum;
}
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (workgroup.y * workgroups.x + workgroup.x) * 256u + lane;
  if (i >= uniforms.size) { return; }
  product[i] = summed(i);
}
