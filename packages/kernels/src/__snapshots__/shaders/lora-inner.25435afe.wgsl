// lora inner {"rows":4,"depth":64,"activation":"linear","factorTransposed":false,"dropout":true,"writes":"nothing","half":false}

struct Uniforms { rows: u32, depth: u32, rank: u32, scale: f32, threshold: u32, site: u32, keepScale: f32 }
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> factor: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> inner: array<f32>;
@group(0) @binding(3) var<storage, read_write> keepBits: array<u32>;
@group(0) @binding(4) var<storage, read> random: array<i32>;
@group(0) @binding(5) var<uniform> uniforms: Uniforms;
var<workgroup> nibbles: array<u32, 256>;

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


var<workgroup> left: array<vec4f, 256>;
var<workgroup> right: array<vec4f, 1024>;

fn place(row: u32, step: u32) -> u32 { return row * 64u + (step ^ ((row >> 2u) << 1u)); }

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
  let depth = uniforms.depth / 4u;
  let row0 = workgroup.x * 4u;
  let rank0 = workgroup.y * 16u;
  let columns = lane & 3u;
  let rows = (lane >> 2u) % 1u;
  let part = lane / 4u;
  
  let line0 = (lane + 0u) / 64u;
  let step0 = (lane + 0u) % 64u;
  let xRow0 = min(row0 + line0, uniforms.rows - 1u);
  var x0: vec4f;
  
  let factorLine0 = (lane + 0u) / 64u;
  let factorStep0 = (lane + 0u) % 64u;
  var factor0: vec4f;
  let factorLine1 = (lane + 256u) / 64u;
  let factorStep1 = (lane + 256u) % 64u;
  var factor1: vec4f;
  let factorLine2 = (lane + 512u) / 64u;
  let factorStep2 = (lane + 512u) % 64u;
  var factor2: vec4f;
  let factorLine3 = (lane + 768u) / 64u;
  let factorStep3 = (lane + 768u) % 64u;
  var factor3: vec4f;
  var sum0 = vec4f(); var sum1 = vec4f(); var sum2 = vec4f(); var sum3 = vec4f();
  var depth0 = 0u;
  
    x0 = vec4f(); if (depth0 + step0 < depth) { x0 = x[xRow0 * depth + depth0 + step0]; }
    
    factor0 = vec4f();
    if (depth0 + factorStep0 < depth && rank0 + factorLine0 < uniforms.rank) {
      factor0 = factor[(rank0 + factorLine0) * depth + depth0 + factorStep0];
    }
    factor1 = vec4f();
    if (depth0 + factorStep1 < depth && rank0 + factorLine1 < uniforms.rank) {
      factor1 = factor[(rank0 + factorLine1) * depth + depth0 + factorStep1];
    }
    factor2 = vec4f();
    if (depth0 + factorStep2 < depth && rank0 + factorLine2 < uniforms.rank) {
      factor2 = factor[(rank0 + factorLine2) * depth + depth0 + factorStep2];
    }
    factor3 = vec4f();
    if (depth0 + factorStep3 < depth && rank0 + factorLine3 < uniforms.rank) {
      factor3 = factor[(rank0 + factorLine3) * depth + depth0 + factorStep3];
    }
  loop {
    
    
    
    
    let keep0 = dropoutQuad(rowState(xRow0), depth0 + step0, uniforms.site) >= vec4u(uniforms.threshold);
    x0 = select(vec4f(), x0 * uniforms.keepScale, keep0);
    nibbles[lane + 0u] = dot(select(vec4u(), vec4u(1u, 2u, 4u, 8u), keep0), vec4u(1u));
    
    left[place(line0, step0)] = x0;
    right[place(factorLine0, factorStep0)] = factor0;
    right[place(factorLine1, factorStep1)] = factor1;
    right[place(factorLine2, factorStep2)] = factor2;
    right[place(factorLine3, factorStep3)] = factor3;
    workgroupBarrier();
    
    if (lane < 32u && workgroup.y == 0u) {
      let row = row0 + lane / 8u;
      let at = depth0 + (lane % 8u) * 8u;
      if (row < uniforms.rows && at < depth) {
        var word = 0u;
        for (var e = 0u; e < 8u; e++) { word |= nibbles[lane * 8u + e] << (4u * e); }
        keepBits[(row * depth + at) / 8u] = word;
      }
    }
    depth0 += 64u;
    if (depth0 < depth) {
      
    x0 = vec4f(); if (depth0 + step0 < depth) { x0 = x[xRow0 * depth + depth0 + step0]; }
    
    factor0 = vec4f();
    if (depth0 + factorStep0 < depth && rank0 + factorLine0 < uniforms.rank) {
      factor0 = factor[(rank0 + factorLine0) * depth + depth0 + factorStep0];
    }
    factor1 = vec4f();
    if (depth0 + factorStep1 < depth && rank0 + factorLine1 < uniforms.rank) {
      factor1 = factor[(rank0 + factorLine1) * depth + depth0 + factorStep1];
    }
    factor2 = vec4f();
    if (depth0 + factorStep2 < depth && rank0 + factorLine2 < uniforms.rank) {
      factor2 = factor[(rank0 + factorLine2) * depth + depth0 + factorStep2];
    }
    factor3 = vec4f();
    if (depth0 + factorStep3 < depth && rank0 + factorLine3 < uniforms.rank) {
      factor3 = factor[(rank0 + factorLine3) * depth + depth0 + factorStep3];
    }
    }
    for (var s = part; s < 64u; s += 64u) {
      let b0 = right[place(columns * 4u + 0u, s)]; let b1 = right[place(columns * 4u + 1u, s)]; let b2 = right[place(columns * 4u + 2u, s)]; let b3 = right[place(columns * 4u + 3u, s)];
      { let a = left[place(rows * 4u + 0u, s)]; sum0 += vec4f(dot(a, b0), dot(a, b1), dot(a, b2), dot(a, b3)); }
      { let a = left[place(rows * 4u + 1u, s)]; sum1 += vec4f(dot(a, b0), dot(a, b1), dot(a, b2), dot(a, b3)); }
      { let a = left[place(rows * 4u + 2u, s)]; sum2 += vec4f(dot(a, b0), dot(a, b1), dot(a, b2), dot(a, b3)); }
      { let a = left[place(rows * 4u + 3u, s)]; sum3 += vec4f(dot(a, b0), dot(a, b1), dot(a, b2), dot(a, b3)); }
    }
    workgroupBarrier();
    if (depth0 >= depth) { break; }
  }
  // The parts take the tiles' place.
  right[part * 16u + (rows * 4u + 0u) * 4u + columns] = sum0;
  right[part * 16u + (rows * 4u + 1u) * 4u + columns] = sum1;
  right[part * 16u + (rows * 4u + 2u) * 4u + columns] = sum2;
  right[part * 16u + (rows * 4u + 3u) * 4u + columns] = sum3;
  workgroupBarrier();
  if (lane >= 64u) { return; }
  let row = lane / 16u;
  let column = lane % 16u;
  var total = 0.0;
  for (var p = 0u; p < 64u; p++) {
    let at = p * 16u + lane / 4u;
    total += right[at][lane & 3u];
  }
  if (row0 + row < uniforms.rows && rank0 + column < uniforms.rank) {
    inner[(row0 + row) * uniforms.rank + rank0 + column] = total * uniforms.scale;
  }
}
