// attention backward matrix, queries {"headSize":16,"ownRows":64,"loopRows":32,"subgroups":4,"dropout":"grouped"}


enable f16;
enable subgroups;
enable chromium_experimental_subgroup_matrix;
diagnostic(off, chromium.subgroup_matrix_uniformity);
diagnostic(off, subgroup_uniformity);


struct Uniforms { rows: i32, heads: u32, keyHeads: u32, sequences: u32, keyStride: u32, scale: f32, threshold: u32, keepScale: f32, site: u32 }
@group(0) @binding(0) var<storage, read> qkv: array<vec4f>;
@group(0) @binding(1) var<storage, read> sequences: array<vec4i>;
@group(0) @binding(2) var<storage, read> dy: array<vec4f>;
@group(0) @binding(3) var<storage, read> y: array<vec4f>;
@group(0) @binding(4) var<storage, read> lse: array<f32>;
@group(0) @binding(5) var<storage, read_write> dqkv: array<vec4f>;
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


alias Left = subgroup_matrix_left<f16, 16, 16>;
alias Right = subgroup_matrix_right<f16, 16, 16>;
alias Sum = subgroup_matrix_result<f32, 16, 16>;
fn pack(pair: vec2f) -> u32 { return bitcast<u32>(vec2<f16>(pair)); }
fn pack4(quad: vec4f) -> vec2u { return vec2u(pack(quad.xy), pack(quad.zw)); }
fn pack8(low: vec4f, high: vec4f) -> vec4u { return vec4u(pack(low.xy), pack(low.zw), pack(high.xy), pack(high.zw)); }

struct Pair { low: vec4f, high: vec4f }
fn pairOf(first: vec4f, second: vec4f, odd: bool) -> Pair {
  let got = subgroupShuffleXor(select(second, first, odd), 1u);
  return Pair(select(first, got, odd), select(got, second, odd));
}
fn pairUp(first: vec2u, second: vec2u, odd: bool) -> vec4u {
  let got = subgroupShuffleXor(select(second, first, odd), 1u);
  return select(vec4u(first, got), vec4u(got, second), odd);
}


fn readQkv(row: i32, part: u32, head: u32, d: u32) -> vec4f { return qkv[(u32(row) * (uniforms.heads + 2u * uniforms.keyHeads) + select(uniforms.heads + (part - 1u) * uniforms.keyHeads, 0u, part == 0u) + head) * 4u + d]; }

fn readDy(row: i32, part: u32, head: u32, d: u32) -> vec4f { return dy[(u32(row) * uniforms.heads + head) * 4u + d]; }

fn readY(row: i32, part: u32, head: u32, d: u32) -> vec4f { return y[(u32(row) * uniforms.heads + head) * 4u + d]; }

fn writeDqkv(row: i32, part: u32, head: u32, d: u32, value: vec4f) { dqkv[(u32(row) * (uniforms.heads + 2u * uniforms.keyHeads) + select(uniforms.heads + (part - 1u) * uniforms.keyHeads, 0u, part == 0u) + head) * 4u + d] = value; }
var<workgroup> queries: array<vec4u, 192>;
var<workgroup> slopes: array<vec4u, 192>;
var<workgroup> keys: array<vec4u, 96>;
var<workgroup> values: array<vec4u, 96>;
var<workgroup> scratch: array<vec4f, 576>;
var<workgroup> weights: array<vec4u, 320>;

@compute @workgroup_size(128)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let subgroup = thread / 32u;
  let lane = thread % 32u;
  let odd = (lane & 1u) == 1u;
  let head = workgroup.y;
  let keyHead = head / (uniforms.heads / uniforms.keyHeads);
  
  if (workgroup.z == uniforms.sequences) {
    for (var row0 = i32(workgroup.x * 128u + thread) * 32; row0 < uniforms.rows; row0 += i32(workgroups.x) * 4096) {
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
        for (var d = 0u; d < 4u; d++) {
        writeDqkv(row, 0u, head, d, vec4f(0.0));
        writeDqkv(row, 1u, keyHead, d, vec4f(0.0));
        writeDqkv(row, 2u, keyHead, d, vec4f(0.0));
      }
      }
    }
    return;
  }
  let sequence = sequenceAt(workgroup.z);
  let first = i32(workgroup.x) * 64;
  if (first >= sequence.count) { return; }
  let query = first + i32(subgroup * 16u + (lane >> 1u));
  let side = lane & 1u;
  let scratch0 = subgroup * 144u;
  let weights0 = subgroup * 80u;
  let last = sequence.count - 1;
  var queriesFirst0: vec4f; var queriesSecond0: vec4f;
  var slopesFirst0: vec4f; var slopesSecond0: vec4f;
  var keysFirst0: vec4f; var keysSecond0: vec4f;
  var valuesFirst0: vec4f; var valuesSecond0: vec4f;
  queriesFirst0 = readQkv(sequence.start + clamp(first + i32(((thread & ~31u) * 2u + lane) / 4u), 0, last), 0u, head, (((thread & ~31u) * 2u + lane) % 4u)); queriesSecond0 = readQkv(sequence.start + clamp(first + i32((((thread & ~31u) * 2u + lane) + 32u) / 4u), 0, last), 0u, head, ((((thread & ~31u) * 2u + lane) + 32u) % 4u));
  slopesFirst0 = readDy(sequence.start + clamp(first + i32(((thread & ~31u) * 2u + lane) / 4u), 0, last), 0u, head, (((thread & ~31u) * 2u + lane) % 4u)); slopesSecond0 = readDy(sequence.start + clamp(first + i32((((thread & ~31u) * 2u + lane) + 32u) / 4u), 0, last), 0u, head, ((((thread & ~31u) * 2u + lane) + 32u) % 4u));
  let ownRow = sequence.start + min(query, last);
  let state = rowState(u32(ownRow));
  let logSum = select(1e+30f, lse[u32(ownRow) * uniforms.heads + head], query <= last);
  var part = 0.0;
  {
    let dy0 = readDy(ownRow, 0u, head, side + 0u); let y0 = readY(ownRow, 0u, head, side + 0u); let dy1 = readDy(ownRow, 0u, head, side + 2u); let y1 = readY(ownRow, 0u, head, side + 2u);
    part += dot(dy0, y0) + dot(dy1, y1);
  }
  let delta = part + subgroupShuffleXor(part, 1u);
  if (side == 0u && query < sequence.count) { deltas[u32(sequence.start + query) * uniforms.heads + head] = delta; }
  var o0: Sum;
  let begin = sequence.keyStart / 32 * 32;
  let end = min(first + 64, sequence.keyEnd);
  if (((thread & ~31u) * 2u + lane) - lane < 128u) { keysFirst0 = readQkv(sequence.start + clamp(begin + i32(((thread & ~31u) * 2u + lane) / 4u), 0, last), 1u, keyHead, (((thread & ~31u) * 2u + lane) % 4u)); keysSecond0 = readQkv(sequence.start + clamp(begin + i32((((thread & ~31u) * 2u + lane) + 32u) / 4u), 0, last), 1u, keyHead, ((((thread & ~31u) * 2u + lane) + 32u) % 4u)); }
  if (((thread & ~31u) * 2u + lane) - lane < 128u) { valuesFirst0 = readQkv(sequence.start + clamp(begin + i32(((thread & ~31u) * 2u + lane) / 4u), 0, last), 2u, keyHead, (((thread & ~31u) * 2u + lane) % 4u)); valuesSecond0 = readQkv(sequence.start + clamp(begin + i32((((thread & ~31u) * 2u + lane) + 32u) / 4u), 0, last), 2u, keyHead, ((((thread & ~31u) * 2u + lane) + 32u) % 4u)); }
  {
      let unit = (((thread & ~31u) * 2u + lane) + select(0u, 31u, odd)) / 2u;
      let row = unit / 2u;
      let half = pairUp(pack4(queriesFirst0), pack4(queriesSecond0), odd);
      queries[row * 3u + unit % 2u] = select(vec4u(), half, first + i32(row) <= last);
    }
  {
      let unit = (((thread & ~31u) * 2u + lane) + select(0u, 31u, odd)) / 2u;
      let row = unit / 2u;
      let half = pairUp(pack4(slopesFirst0 * 1024.0), pack4(slopesSecond0 * 1024.0), odd);
      slopes[row * 3u + unit % 2u] = select(vec4u(), half, first + i32(row) <= last);
    }
  for (var t = begin; t < end; t += 32) {
    if (((thread & ~31u) * 2u + lane) - lane < 128u) { {
      let unit = (((thread & ~31u) * 2u + lane) + select(0u, 31u, odd)) / 2u;
      let row = unit / 2u;
      let half = pairUp(pack4(keysFirst0), pack4(keysSecond0), odd);
      keys[row * 3u + unit % 2u] = select(vec4u(), half, t + i32(row) <= last);
    } }
    if (((thread & ~31u) * 2u + lane) - lane < 128u) { {
      let unit = (((thread & ~31u) * 2u + lane) + select(0u, 31u, odd)) / 2u;
      let row = unit / 2u;
      let half = pairUp(pack4(valuesFirst0), pack4(valuesSecond0), odd);
      values[row * 3u + unit % 2u] = select(vec4u(), half, t + i32(row) <= last);
    } }
    workgroupBarrier();
    if (((thread & ~31u) * 2u + lane) - lane < 128u) { keysFirst0 = readQkv(sequence.start + clamp(t + 32 + i32(((thread & ~31u) * 2u + lane) / 4u), 0, last), 1u, keyHead, (((thread & ~31u) * 2u + lane) % 4u)); keysSecond0 = readQkv(sequence.start + clamp(t + 32 + i32((((thread & ~31u) * 2u + lane) + 32u) / 4u), 0, last), 1u, keyHead, ((((thread & ~31u) * 2u + lane) + 32u) % 4u)); }
    if (((thread & ~31u) * 2u + lane) - lane < 128u) { valuesFirst0 = readQkv(sequence.start + clamp(t + 32 + i32(((thread & ~31u) * 2u + lane) / 4u), 0, last), 2u, keyHead, (((thread & ~31u) * 2u + lane) % 4u)); valuesSecond0 = readQkv(sequence.start + clamp(t + 32 + i32((((thread & ~31u) * 2u + lane) + 32u) / 4u), 0, last), 2u, keyHead, ((((thread & ~31u) * 2u + lane) + 32u) % 4u)); }
    
    var s0 = Sum(); var s1 = Sum();
    {
      let a = subgroupMatrixLoad<Left, row_major>(&queries, (subgroup * 16u) * 3u + 0u, 3u);
      s0 = subgroupMatrixMultiplyAccumulate(a, subgroupMatrixLoad<Right, col_major>(&keys, 0u, 3u), s0);
      s1 = subgroupMatrixMultiplyAccumulate(a, subgroupMatrixLoad<Right, col_major>(&keys, 48u, 3u), s1);
    }
    
    subgroupMatrixStore<row_major>(&scratch, scratch0, s0, 9u);
    subgroupMatrixStore<row_major>(&scratch, scratch0 + 4u, s1, 9u);
    workgroupBarrier();
    
    let key0 = vec4i(t + i32(side * 16u) + 0) + vec4i(0, 1, 2, 3);
    let seen0 = (key0 <= vec4i(query)) & (key0 >= vec4i(sequence.keyStart)) & (key0 < vec4i(sequence.keyEnd));
    var p0 = select(vec4f(0.0), exp(scratch[scratch0 + (lane >> 1u) * 9u + side * 4u + 0u] * uniforms.scale - logSum), seen0);
    let key1 = vec4i(t + i32(side * 16u) + 4) + vec4i(0, 1, 2, 3);
    let seen1 = (key1 <= vec4i(query)) & (key1 >= vec4i(sequence.keyStart)) & (key1 < vec4i(sequence.keyEnd));
    var p1 = select(vec4f(0.0), exp(scratch[scratch0 + (lane >> 1u) * 9u + side * 4u + 1u] * uniforms.scale - logSum), seen1);
    let key2 = vec4i(t + i32(side * 16u) + 8) + vec4i(0, 1, 2, 3);
    let seen2 = (key2 <= vec4i(query)) & (key2 >= vec4i(sequence.keyStart)) & (key2 < vec4i(sequence.keyEnd));
    var p2 = select(vec4f(0.0), exp(scratch[scratch0 + (lane >> 1u) * 9u + side * 4u + 2u] * uniforms.scale - logSum), seen2);
    let key3 = vec4i(t + i32(side * 16u) + 12) + vec4i(0, 1, 2, 3);
    let seen3 = (key3 <= vec4i(query)) & (key3 >= vec4i(sequence.keyStart)) & (key3 < vec4i(sequence.keyEnd));
    var p3 = select(vec4f(0.0), exp(scratch[scratch0 + (lane >> 1u) * 9u + side * 4u + 3u] * uniforms.scale - logSum), seen3);
    workgroupBarrier();
    
    var dp0 = Sum(); var dp1 = Sum();
    {
      let a = subgroupMatrixLoad<Left, row_major>(&slopes, (subgroup * 16u) * 3u + 0u, 3u);
      dp0 = subgroupMatrixMultiplyAccumulate(a, subgroupMatrixLoad<Right, col_major>(&values, 0u, 3u), dp0);
      dp1 = subgroupMatrixMultiplyAccumulate(a, subgroupMatrixLoad<Right, col_major>(&values, 48u, 3u), dp1);
    }
    
    subgroupMatrixStore<row_major>(&scratch, scratch0, dp0, 9u);
    subgroupMatrixStore<row_major>(&scratch, scratch0 + 4u, dp1, 9u);
    workgroupBarrier();
    var slope0 = scratch[scratch0 + (lane >> 1u) * 9u + side * 4u + 0u]; var slope1 = scratch[scratch0 + (lane >> 1u) * 9u + side * 4u + 1u]; var slope2 = scratch[scratch0 + (lane >> 1u) * 9u + side * 4u + 2u]; var slope3 = scratch[scratch0 + (lane >> 1u) * 9u + side * 4u + 3u];
    
    if (any(seen0 | seen1)) {
      let words = dropoutWords(state, (head * uniforms.keyStride + u32(key0.x)) >> 3u, uniforms.site);
      { let kept = dropoutBits(words.xy) >= vec4u(uniforms.threshold); slope0 = select(vec4f(0.0), slope0 * uniforms.keepScale, kept); }
      { let kept = dropoutBits(words.zw) >= vec4u(uniforms.threshold); slope1 = select(vec4f(0.0), slope1 * uniforms.keepScale, kept); }
    }
    if (any(seen2 | seen3)) {
      let words = dropoutWords(state, (head * uniforms.keyStride + u32(key2.x)) >> 3u, uniforms.site);
      { let kept = dropoutBits(words.xy) >= vec4u(uniforms.threshold); slope2 = select(vec4f(0.0), slope2 * uniforms.keepScale, kept); }
      { let kept = dropoutBits(words.zw) >= vec4u(uniforms.threshold); slope3 = select(vec4f(0.0), slope3 * uniforms.keepScale, kept); }
    }
    p0 *= slope0 - delta * 1024.0; p1 *= slope1 - delta * 1024.0; p2 *= slope2 - delta * 1024.0; p3 *= slope3 - delta * 1024.0;
    let place = weights0 + (lane >> 1u) * 5u + side * 2u;
    weights[place] = pack8(p0, p1);
    weights[place + 1u] = pack8(p2, p3);
    workgroupBarrier();
    {
      let a = subgroupMatrixLoad<Left, row_major>(&weights, weights0 + 0u, 5u);
      o0 = subgroupMatrixMultiplyAccumulate(a, subgroupMatrixLoad<Right, row_major>(&keys, 0u, 3u), o0);
    }
    {
      let a = subgroupMatrixLoad<Left, row_major>(&weights, weights0 + 2u, 5u);
      o0 = subgroupMatrixMultiplyAccumulate(a, subgroupMatrixLoad<Right, row_major>(&keys, 48u, 3u), o0);
    }
    workgroupBarrier();
  }
  
  workgroupBarrier();
  subgroupMatrixStore<row_major>(&scratch, scratch0 + 0u, o0, 9u);
  workgroupBarrier();
  for (var k = lane; k < 64u; k += 32u) {
    let r = k / 4u;
    let c = k % 4u;
    let row = first + i32(subgroup * 16u + r);
    if (row < sequence.count) {
      writeDqkv(sequence.start + row, 0u, head, 0u + c, scratch[scratch0 + r * 9u + c] * (uniforms.scale / 1024.0));
    }
  }
}
