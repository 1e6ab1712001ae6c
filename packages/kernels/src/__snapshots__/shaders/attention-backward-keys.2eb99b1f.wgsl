// attention backward, keys {"headSize":16,"ownRows":32,"loopRows":32,"dropout":"grouped"}


struct Uniforms { rows: i32, heads: u32, keyHeads: u32, sequences: u32, keyStride: u32, scale: f32, threshold: u32, keepScale: f32, site: u32 }
@group(0) @binding(0) var<storage, read> qkv: array<vec4f>;
@group(0) @binding(1) var<storage, read> sequences: array<vec4i>;
@group(0) @binding(2) var<storage, read> dy: array<vec4f>;
@group(0) @binding(3) var<storage, read> lse: array<f32>;
@group(0) @binding(4) var<storage, read> deltas: array<f32>;
@group(0) @binding(5) var<storage, read_write> dqkv: array<vec4f>;
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


struct Sequence { start: i32, count: i32, keyStart: i32, keyEnd: i32 }

// Kept within the rows, whatever the tensor says: nothing else stands between it and memory.
fn sequenceAt(index: u32) -> Sequence {
  let fields = sequences[index];
  let start = clamp(fields.x, 0, uniforms.rows);
  let count = clamp(fields.y, 0, uniforms.rows - start);
  let keyEnd = clamp(fields.w, 0, count);
  return Sequence(start, count, clamp(fields.z, 0, keyEnd), keyEnd);
}


fn readQkv(row: i32, part: u32, head: u32, d: u32) -> vec4f { return qkv[(u32(row) * (uniforms.heads + 2u * uniforms.keyHeads) + select(uniforms.heads + (part - 1u) * uniforms.keyHeads, 0u, part == 0u) + head) * 4u + d]; }

fn readDy(row: i32, part: u32, head: u32, d: u32) -> vec4f { return dy[(u32(row) * uniforms.heads + head) * 4u + d]; }

fn writeDqkv(row: i32, part: u32, head: u32, d: u32, value: vec4f) { dqkv[(u32(row) * (uniforms.heads + 2u * uniforms.keyHeads) + select(uniforms.heads + (part - 1u) * uniforms.keyHeads, 0u, part == 0u) + head) * 4u + d] = value; }
var<workgroup> keys: array<vec4f, 288>;
var<workgroup> values: array<vec4f, 288>;
var<workgroup> queries: array<vec4f, 288>;
var<workgroup> slopes: array<vec4f, 288>;
var<workgroup> keyWeights: array<vec4f, 288>;
var<workgroup> valueWeights: array<vec4f, 288>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let keyHead = workgroup.y;
  let group = uniforms.heads / uniforms.keyHeads;
  let sequence = sequenceAt(workgroup.z);
  let first = i32(workgroup.x) * 32;
  if (first >= sequence.count) { return; }
  let tx = lane % 8u;
  let ty = lane / 8u;
  let key = vec4i(first + i32(ty) * 4) + vec4i(0, 1, 2, 3);
  let usable = (key >= vec4i(sequence.keyStart)) & (key < vec4i(sequence.keyEnd));
  
  for (var e = lane; e < 256u; e += 64u) {
    let r = e / 8u;
    let d = e % 8u;
    let row = first + i32(r);
    var value = vec4f(0.0);
    if (row < sequence.count && d < 4u) { value = readQkv(sequence.start + row, 1u, keyHead, d); }
    keys[r * 9u + d] = value;
  }
  
  for (var e = lane; e < 256u; e += 64u) {
    let r = e / 8u;
    let d = e % 8u;
    let row = first + i32(r);
    var value = vec4f(0.0);
    if (row < sequence.count && d < 4u) { value = readQkv(sequence.start + row, 2u, keyHead, d); }
    values[r * 9u + d] = value;
  }
  var k = array<vec4f, 4>();
  var v = array<vec4f, 4>();
  // No query sees a key before keyStart or from keyEnd on; key j is seen by queries j and later.
  let anySeen = first < sequence.keyEnd && first + 32 > sequence.keyStart;
  let end = select(0, sequence.count, anySeen);
  for (var head = keyHead * group; head < (keyHead + 1u) * group; head++) {
  for (var t = first / 32 * 32; t < end; t += 32) {
    
  for (var e = lane; e < 256u; e += 64u) {
    let r = e / 8u;
    let d = e % 8u;
    let row = t + i32(r);
    var value = vec4f(0.0);
    if (row < sequence.count && d < 4u) { value = readQkv(sequence.start + row, 0u, head, d) * uniforms.scale; }
    queries[((r % 4u) * 8u + r / 4u) * 9u + d] = value;
  }
    
  for (var e = lane; e < 256u; e += 64u) {
    let r = e / 8u;
    let d = e % 8u;
    let row = t + i32(r);
    var value = vec4f(0.0);
    if (row < sequence.count && d < 4u) { value = readDy(sequence.start + row, 0u, head, d); }
    slopes[((r % 4u) * 8u + r / 4u) * 9u + d] = value;
  }
    workgroupBarrier();
    
  var s = array<vec4f, 4>();
  for (var d = 0u; d < 4u; d++) {
    let at = ty * 36u + d;
    let a0 = keys[at];
    let a1 = keys[at + 9u];
    let a2 = keys[at + 18u];
    let a3 = keys[at + 27u];
    for (var c = 0u; c < 4u; c++) {
      let b = queries[(c * 8u + tx) * 9u + d];
      s[c] += vec4f(dot(a0, b), dot(a1, b), dot(a2, b), dot(a3, b));
    }
  }
    
  var dp = array<vec4f, 4>();
  for (var d = 0u; d < 4u; d++) {
    let at = ty * 36u + d;
    let a0 = values[at];
    let a1 = values[at + 9u];
    let a2 = values[at + 18u];
    let a3 = values[at + 27u];
    for (var c = 0u; c < 4u; c++) {
      let b = slopes[(c * 8u + tx) * 9u + d];
      dp[c] += vec4f(dot(a0, b), dot(a1, b), dot(a2, b), dot(a3, b));
    }
  }
    
  var bits: array<vec4u, 4>;
  for (var c = 0u; c < 4u; c++) {
    let state = rowState(u32(sequence.start + min(t + i32(tx * 4u + c), sequence.count - 1)));
    let element = head * uniforms.keyStride + u32(first) + ty * 4u;
    bits[c] = dropoutQuad(state, element >> 2u, uniforms.site);
  }
    for (var c = 0u; c < 4u; c++) {
      let query = t + i32(tx * 4u + c);
      var logSum = 1e+30f;
      var delta = 0.0;
      if (query < sequence.count) {
        let index = u32(sequence.start + query) * uniforms.heads + head;
        logSum = lse[index];
        delta = deltas[index];
      }
      let seen = usable & (key <= vec4i(query)) & vec4<bool>(query < sequence.count);
      let p = select(vec4f(0.0), exp(s[c] - logSum), seen);
      keyWeights[(c * 8u + tx) * 9u + ty] = p * (select(vec4f(0.0), dp[c] * uniforms.keepScale, bits[c] >= vec4u(uniforms.threshold)) - delta);
      valueWeights[(c * 8u + tx) * 9u + ty] = select(vec4f(0.0), p * uniforms.keepScale, bits[c] >= vec4u(uniforms.threshold));
    }
    workgroupBarrier();
    
  for (var j = 0u; j < 32u; j++) {
    let weight = keyWeights[j * 9u + ty];
    for (var step = 0u; step < 1u; step++) {
      let b = queries[j * 9u + tx + step * 8u];
      for (var r = 0u; r < 4u; r++) { k[step * 4u + r] += weight[r] * b; }
    }
  }
    
  for (var j = 0u; j < 32u; j++) {
    let weight = valueWeights[j * 9u + ty];
    for (var step = 0u; step < 1u; step++) {
      let b = slopes[j * 9u + tx + step * 8u];
      for (var r = 0u; r < 4u; r++) { v[step * 4u + r] += weight[r] * b; }
    }
  }
    workgroupBarrier();
  }
  }
  
  for (var r = 0u; r < 4u; r++) {
    let row = first + i32(ty * 4u + r);
    for (var step = 0u; step < 1u; step++) {
      let d = tx + step * 8u;
      if (row < sequence.count && d < 4u) { writeDqkv(sequence.start + row, 1u, keyHead, d, k[step * 4u + r]); }
    }
  }
  
  for (var r = 0u; r < 4u; r++) {
    let row = first + i32(ty * 4u + r);
    for (var step = 0u; step < 1u; step++) {
      let d = tx + step * 8u;
      if (row < sequence.count && d < 4u) { writeDqkv(sequence.start + row, 2u, keyHead, d, v[step * 4u + r]); }
    }
  }
}
