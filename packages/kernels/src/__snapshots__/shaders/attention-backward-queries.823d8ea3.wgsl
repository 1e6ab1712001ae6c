// attention backward, queries {"headSize":7,"ownRows":32,"loopRows":32,"dropout":"single"}


struct Uniforms { rows: i32, heads: u32, keyHeads: u32, sequences: u32, keyStride: u32, scale: f32, threshold: u32, keepScale: f32, site: u32 }
@group(0) @binding(0) var<storage, read> qkv: array<f32>;
@group(0) @binding(1) var<storage, read> sequences: array<vec4i>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read> y: array<f32>;
@group(0) @binding(4) var<storage, read> lse: array<f32>;
@group(0) @binding(5) var<storage, read_write> dqkv: array<f32>;
@group(0) @binding(6) var<storage, read_write> deltas: array<f32>;
@group(0) @binding(7) var<storage, read> random: array<i32>;
@group(0) @binding(8) var<uniform> uniforms: Uniforms;

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


fn readQkv(row: i32, part: u32, head: u32, d: u32) -> vec4f {
  var value = vec4f(0.0);
  for (var i = 0u; i < 4u && d * 4u + i < 7u; i++) { value[i] = qkv[(u32(row) * (uniforms.heads + 2u * uniforms.keyHeads) + select(uniforms.heads + (part - 1u) * uniforms.keyHeads, 0u, part == 0u) + head) * 7u + d * 4u + i]; }
  return value;
}

fn readDy(row: i32, part: u32, head: u32, d: u32) -> vec4f {
  var value = vec4f(0.0);
  for (var i = 0u; i < 4u && d * 4u + i < 7u; i++) { value[i] = dy[(u32(row) * uniforms.heads + head) * 7u + d * 4u + i]; }
  return value;
}

fn readY(row: i32, part: u32, head: u32, d: u32) -> vec4f {
  var value = vec4f(0.0);
  for (var i = 0u; i < 4u && d * 4u + i < 7u; i++) { value[i] = y[(u32(row) * uniforms.heads + head) * 7u + d * 4u + i]; }
  return value;
}

fn writeDqkv(row: i32, part: u32, head: u32, d: u32, value: vec4f) {
  for (var i = 0u; i < 4u && d * 4u + i < 7u; i++) { dqkv[(u32(row) * (uniforms.heads + 2u * uniforms.keyHeads) + select(uniforms.heads + (part - 1u) * uniforms.keyHeads, 0u, part == 0u) + head) * 7u + d * 4u + i] = value[i]; }
}
var<workgroup> queries: array<vec4f, 288>;
var<workgroup> slopes: array<vec4f, 288>;
var<workgroup> keys: array<vec4f, 288>;
var<workgroup> values: array<vec4f, 288>;
var<workgroup> weights: array<vec4f, 288>;
var<workgroup> reduced: array<vec4f, 64>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let head = workgroup.y;
  let keyHead = head / (uniforms.heads / uniforms.keyHeads);
  
  if (workgroup.z == uniforms.sequences) {
    for (var row0 = i32(workgroup.x * 64u + lane) * 32; row0 < uniforms.rows; row0 += i32(workgroups.x) * 2048) {
      var free = 0xffffffffu;
      for (var s = 0u; s < uniforms.sequences; s++) {
        let sequence = sequenceAt(s);
        let low = clamp(sequence.start - row0, 0, 32);
        let high = clamp(sequence.start + sequence.count - row0, 0, 32);
        if (high > low) { free &= ~((0xffffffffu >> u32(32 - (high - low))) << u32(low)); }
      }
      while (free != 0u) {
        let row = row0 + i32(countTrailingZeros(free));
        free &= free - 1u;
        if (row >= uniforms.rows) { break; }
        for (var d = 0u; d < 2u; d++) {
        writeDqkv(row, 0u, head, d, vec4f(0.0));
        writeDqkv(row, 1u, keyHead, d, vec4f(0.0));
        writeDqkv(row, 2u, keyHead, d, vec4f(0.0));
      }
      }
    }
    return;
  }
  let sequence = sequenceAt(workgroup.z);
  let first = i32(workgroup.x) * 32;
  if (first >= sequence.count) { return; }
  let tx = lane % 8u;
  let ty = lane / 8u;
  let query = vec4i(first + i32(ty) * 4) + vec4i(0, 1, 2, 3);
  
  for (var e = lane; e < 256u; e += 64u) {
    let r = e / 8u;
    let d = e % 8u;
    let row = first + i32(r);
    var value = vec4f(0.0);
    if (row < sequence.count && d < 2u) { value = readQkv(sequence.start + row, 0u, head, d) * uniforms.scale; }
    queries[r * 9u + d] = value;
  }
  
  for (var e = lane; e < 256u; e += 64u) {
    let r = e / 8u;
    let d = e % 8u;
    let row = first + i32(r);
    var value = vec4f(0.0);
    if (row < sequence.count && d < 2u) { value = readDy(sequence.start + row, 0u, head, d); }
    slopes[r * 9u + d] = value;
  }
  workgroupBarrier();
  var partial = vec4f(0.0);
  var logSum = vec4f(1e+30f);
  for (var r = 0; r < 4; r++) {
    if (query[r] >= sequence.count) { continue; }
    let row = sequence.start + query[r];
    logSum[r] = lse[u32(row) * uniforms.heads + head];
    for (var d = tx; d < 2u; d += 8u) {
      partial[r] += dot(slopes[(ty * 4u + u32(r)) * 9u + d], readY(row, 0u, head, d));
    }
  }
  reduced[lane] = partial;
  workgroupBarrier();
  
  var delta = reduced[ty * 8u];
  for (var i = 1u; i < 8u; i++) {
    let other = reduced[ty * 8u + i];
    delta = delta + other;
  }
  if (tx == 0u) {
    for (var r = 0; r < 4; r++) {
      if (query[r] < sequence.count) { deltas[u32(sequence.start + query[r]) * uniforms.heads + head] = delta[r]; }
    }
  }
  var o = array<vec4f, 4>();
  let end = min(first + 32, sequence.keyEnd);
  for (var t = sequence.keyStart / 32 * 32; t < end; t += 32) {
    
  for (var e = lane; e < 256u; e += 64u) {
    let r = e / 8u;
    let d = e % 8u;
    let row = t + i32(r);
    var value = vec4f(0.0);
    if (row < sequence.count && d < 2u) { value = readQkv(sequence.start + row, 1u, keyHead, d); }
    keys[((r % 4u) * 8u + r / 4u) * 9u + d] = value;
  }
    
  for (var e = lane; e < 256u; e += 64u) {
    let r = e / 8u;
    let d = e % 8u;
    let row = t + i32(r);
    var value = vec4f(0.0);
    if (row < sequence.count && d < 2u) { value = readQkv(sequence.start + row, 2u, keyHead, d); }
    values[((r % 4u) * 8u + r / 4u) * 9u + d] = value;
  }
    workgroupBarrier();
    
  var s = array<vec4f, 4>();
  for (var d = 0u; d < 2u; d++) {
    let at = ty * 36u + d;
    let a0 = queries[at];
    let a1 = queries[at + 9u];
    let a2 = queries[at + 18u];
    let a3 = queries[at + 27u];
    for (var c = 0u; c < 4u; c++) {
      let b = keys[(c * 8u + tx) * 9u + d];
      s[c] += vec4f(dot(a0, b), dot(a1, b), dot(a2, b), dot(a3, b));
    }
  }
    
  var dp = array<vec4f, 4>();
  for (var d = 0u; d < 2u; d++) {
    let at = ty * 36u + d;
    let a0 = slopes[at];
    let a1 = slopes[at + 9u];
    let a2 = slopes[at + 18u];
    let a3 = slopes[at + 27u];
    for (var c = 0u; c < 4u; c++) {
      let b = values[(c * 8u + tx) * 9u + d];
      dp[c] += vec4f(dot(a0, b), dot(a1, b), dot(a2, b), dot(a3, b));
    }
  }
    
  var bits: array<vec4u, 4>;
  for (var r = 0u; r < 4u; r++) {
    let state = rowState(u32(sequence.start + min(first + i32(ty * 4u + r), sequence.count - 1)));
    let element = head * uniforms.keyStride + u32(t) + tx * 4u;
    
    for (var c = 0u; c < 4u; c++) { bits[c][r] = dropoutElement(state, element + c, uniforms.site); }
  }
    for (var c = 0u; c < 4u; c++) {
      let key = t + i32(tx * 4u + c);
      let seen = (vec4i(key) <= query) & vec4<bool>(key >= sequence.keyStart && key < sequence.keyEnd);
      let p = select(vec4f(0.0), exp(s[c] - logSum), seen);
      weights[(c * 8u + tx) * 9u + ty] = p * (select(vec4f(0.0), dp[c] * uniforms.keepScale, bits[c] >= vec4u(uniforms.threshold)) - delta);
    }
    workgroupBarrier();
    
  for (var j = 0u; j < 32u; j++) {
    let weight = weights[j * 9u + ty];
    for (var step = 0u; step < 1u; step++) {
      let b = keys[j * 9u + tx + step * 8u];
      for (var r = 0u; r < 4u; r++) { o[step * 4u + r] += weight[r] * b; }
    }
  }
    workgroupBarrier();
  }
  
  for (var r = 0u; r < 4u; r++) {
    let row = first + i32(ty * 4u + r);
    for (var step = 0u; step < 1u; step++) {
      let d = tx + step * 8u;
      if (row < sequence.count && d < 2u) { writeDqkv(sequence.start + row, 0u, head, d, o[step * 4u + r] * uniforms.scale); }
    }
  }
}
