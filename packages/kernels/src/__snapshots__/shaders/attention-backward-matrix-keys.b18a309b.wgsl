// attention backward matrix, keys {"headSize":16,"ownRows":64,"loopRows":32,"subgroups":4,"dropout":"none"}


enable f16;
enable subgroups;
enable chromium_experimental_subgroup_matrix;
diagnostic(off, chromium.subgroup_matrix_uniformity);
diagnostic(off, subgroup_uniformity);


struct Uniforms { rows: i32, heads: u32, keyHeads: u32, sequences: u32, keyStride: u32, scale: f32, threshold: u32, keepScale: f32, site: u32 }
@group(0) @binding(0) var<storage, read> qkv: array<vec4f>;
@group(0) @binding(1) var<storage, read> sequences: array<vec4i>;
@group(0) @binding(2) var<storage, read> dy: array<vec4f>;
@group(0) @binding(3) var<storage, read> lse: array<f32>;
@group(0) @binding(4) var<storage, read> deltas: array<f32>;
@group(0) @binding(5) var<storage, read_write> dqkv: array<vec4f>;
@group(0) @binding(6) var<uniform> uniforms: Uniforms;


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

fn writeDqkv(row: i32, part: u32, head: u32, d: u32, value: vec4f) { dqkv[(u32(row) * (uniforms.heads + 2u * uniforms.keyHeads) + select(uniforms.heads + (part - 1u) * uniforms.keyHeads, 0u, part == 0u) + head) * 4u + d] = value; }
var<workgroup> keys: array<vec4u, 192>;
var<workgroup> values: array<vec4u, 192>;
var<workgroup> queries: array<vec4u, 96>;
var<workgroup> slopes: array<vec4u, 96>;
var<workgroup> scratch: array<vec4f, 640>;
var<workgroup> weights: array<vec4u, 384>;

@compute @workgroup_size(128)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let subgroup = thread / 32u;
  let lane = thread % 32u;
  let odd = (lane & 1u) == 1u;
  let keyHead = workgroup.y;
  let group = uniforms.heads / uniforms.keyHeads;
  var head = keyHead * group;
  var ahead = head;
  let sequence = sequenceAt(workgroup.z);
  let first = i32(workgroup.x) * 64;
  if (first >= sequence.count) { return; }
  let ownKey = first + i32(subgroup * 16u);
  let scratch0 = subgroup * 160u;
  let weights0 = subgroup * 96u;
  let last = sequence.count - 1;
  var keysFirst0: vec4f; var keysSecond0: vec4f;
  var valuesFirst0: vec4f; var valuesSecond0: vec4f;
  var queriesFirst0: vec4f; var queriesSecond0: vec4f;
  var slopesFirst0: vec4f; var slopesSecond0: vec4f;
  keysFirst0 = readQkv(sequence.start + clamp(first + i32(((thread & ~31u) * 2u + lane) / 4u), 0, last), 1u, keyHead, (((thread & ~31u) * 2u + lane) % 4u)); keysSecond0 = readQkv(sequence.start + clamp(first + i32((((thread & ~31u) * 2u + lane) + 32u) / 4u), 0, last), 1u, keyHead, ((((thread & ~31u) * 2u + lane) + 32u) % 4u));
  valuesFirst0 = readQkv(sequence.start + clamp(first + i32(((thread & ~31u) * 2u + lane) / 4u), 0, last), 2u, keyHead, (((thread & ~31u) * 2u + lane) % 4u)); valuesSecond0 = readQkv(sequence.start + clamp(first + i32((((thread & ~31u) * 2u + lane) + 32u) / 4u), 0, last), 2u, keyHead, ((((thread & ~31u) * 2u + lane) + 32u) % 4u));
  var k0: Sum;
  var v0: Sum;
  // No query sees a key before keyStart or from keyEnd on; key j is seen by queries j and later.
  let anySeen = first < sequence.keyEnd && first + 64 > sequence.keyStart;
  let end = select(0, sequence.count, anySeen);
  let begin = first / 32 * 32;
  if (((thread & ~31u) * 2u + lane) - lane < 128u) { queriesFirst0 = readQkv(sequence.start + clamp(begin + i32(((thread & ~31u) * 2u + lane) / 4u), 0, last), 0u, ahead, (((thread & ~31u) * 2u + lane) % 4u)); queriesSecond0 = readQkv(sequence.start + clamp(begin + i32((((thread & ~31u) * 2u + lane) + 32u) / 4u), 0, last), 0u, ahead, ((((thread & ~31u) * 2u + lane) + 32u) % 4u)); }
  if (((thread & ~31u) * 2u + lane) - lane < 128u) { slopesFirst0 = readDy(sequence.start + clamp(begin + i32(((thread & ~31u) * 2u + lane) / 4u), 0, last), 0u, ahead, (((thread & ~31u) * 2u + lane) % 4u)); slopesSecond0 = readDy(sequence.start + clamp(begin + i32((((thread & ~31u) * 2u + lane) + 32u) / 4u), 0, last), 0u, ahead, ((((thread & ~31u) * 2u + lane) + 32u) % 4u)); }
  {
      let unit = (((thread & ~31u) * 2u + lane) + select(0u, 31u, odd)) / 2u;
      let row = unit / 2u;
      let half = pairUp(pack4(keysFirst0), pack4(keysSecond0), odd);
      keys[row * 3u + unit % 2u] = select(vec4u(), half, first + i32(row) <= last);
    }
  {
      let unit = (((thread & ~31u) * 2u + lane) + select(0u, 31u, odd)) / 2u;
      let row = unit / 2u;
      let half = pairUp(pack4(valuesFirst0), pack4(valuesSecond0), odd);
      values[row * 3u + unit % 2u] = select(vec4u(), half, first + i32(row) <= last);
    }
  var t = begin;
  for (var passes = group * u32((max(end, begin) - begin + 31) / 32); passes > 0u; passes--) {
    if (((thread & ~31u) * 2u + lane) - lane < 128u) { {
      let unit = (((thread & ~31u) * 2u + lane) + select(0u, 31u, odd)) / 2u;
      let row = unit / 2u;
      let half = pairUp(pack4(queriesFirst0), pack4(queriesSecond0), odd);
      queries[row * 3u + unit % 2u] = select(vec4u(), half, t + i32(row) <= last);
    } }
    if (((thread & ~31u) * 2u + lane) - lane < 128u) { {
      let unit = (((thread & ~31u) * 2u + lane) + select(0u, 31u, odd)) / 2u;
      let row = unit / 2u;
      let half = pairUp(pack4(slopesFirst0 * 1024.0), pack4(slopesSecond0 * 1024.0), odd);
      slopes[row * 3u + unit % 2u] = select(vec4u(), half, t + i32(row) <= last);
    } }
    let query = t + i32(lane);
    let queryRow = u32(sequence.start + min(query, last));
    let index = queryRow * uniforms.heads + head;
    
    let logSum = select(1e+30f, lse[index], query <= last);
    let delta = deltas[index];
    workgroupBarrier();
    // What comes next is read while this is multiplied: other queries, or the next head's first ones.
    let turns = t + 32 >= end;
    let next = select(t + 32, begin, turns);
    ahead = min(select(head, head + 1u, turns), uniforms.heads - 1u);
    if (((thread & ~31u) * 2u + lane) - lane < 128u) { queriesFirst0 = readQkv(sequence.start + clamp(next + i32(((thread & ~31u) * 2u + lane) / 4u), 0, last), 0u, ahead, (((thread & ~31u) * 2u + lane) % 4u)); queriesSecond0 = readQkv(sequence.start + clamp(next + i32((((thread & ~31u) * 2u + lane) + 32u) / 4u), 0, last), 0u, ahead, ((((thread & ~31u) * 2u + lane) + 32u) % 4u)); }
    if (((thread & ~31u) * 2u + lane) - lane < 128u) { slopesFirst0 = readDy(sequence.start + clamp(next + i32(((thread & ~31u) * 2u + lane) / 4u), 0, last), 0u, ahead, (((thread & ~31u) * 2u + lane) % 4u)); slopesSecond0 = readDy(sequence.start + clamp(next + i32((((thread & ~31u) * 2u + lane) + 32u) / 4u), 0, last), 0u, ahead, ((((thread & ~31u) * 2u + lane) + 32u) % 4u)); }
    
    var s0 = Sum(); var s1 = Sum();
    {
      let a = subgroupMatrixLoad<Left, row_major>(&keys, (subgroup * 16u) * 3u + 0u, 3u);
      s0 = subgroupMatrixMultiplyAccumulate(a, subgroupMatrixLoad<Right, col_major>(&queries, 0u, 3u), s0);
      s1 = subgroupMatrixMultiplyAccumulate(a, subgroupMatrixLoad<Right, col_major>(&queries, 48u, 3u), s1);
    }
    
    subgroupMatrixStore<col_major>(&scratch, scratch0, s0, 5u);
    subgroupMatrixStore<col_major>(&scratch, scratch0 + 80u, s1, 5u);
    workgroupBarrier();
    
    let key0 = vec4i(ownKey + 0) + vec4i(0, 1, 2, 3);
    let seen0 = (key0 <= vec4i(query)) & (key0 >= vec4i(sequence.keyStart)) & (key0 < vec4i(sequence.keyEnd));
    var p0 = select(vec4f(0.0), exp(scratch[scratch0 + lane * 5u + 0u] * uniforms.scale - logSum), seen0);
    var factor0 = vec4f(1.0);
    let key1 = vec4i(ownKey + 4) + vec4i(0, 1, 2, 3);
    let seen1 = (key1 <= vec4i(query)) & (key1 >= vec4i(sequence.keyStart)) & (key1 < vec4i(sequence.keyEnd));
    var p1 = select(vec4f(0.0), exp(scratch[scratch0 + lane * 5u + 1u] * uniforms.scale - logSum), seen1);
    var factor1 = vec4f(1.0);
    let key2 = vec4i(ownKey + 8) + vec4i(0, 1, 2, 3);
    let seen2 = (key2 <= vec4i(query)) & (key2 >= vec4i(sequence.keyStart)) & (key2 < vec4i(sequence.keyEnd));
    var p2 = select(vec4f(0.0), exp(scratch[scratch0 + lane * 5u + 2u] * uniforms.scale - logSum), seen2);
    var factor2 = vec4f(1.0);
    let key3 = vec4i(ownKey + 12) + vec4i(0, 1, 2, 3);
    let seen3 = (key3 <= vec4i(query)) & (key3 >= vec4i(sequence.keyStart)) & (key3 < vec4i(sequence.keyEnd));
    var p3 = select(vec4f(0.0), exp(scratch[scratch0 + lane * 5u + 3u] * uniforms.scale - logSum), seen3);
    var factor3 = vec4f(1.0);
    
    let place = weights0 + lane * 3u;
    weights[place] = pack8(p0 * factor0, p1 * factor1);
    weights[place + 1u] = pack8(p2 * factor2, p3 * factor3);
    workgroupBarrier();
    {
      let a = subgroupMatrixLoad<Left, col_major>(&weights, weights0 + 0u, 3u);
      v0 = subgroupMatrixMultiplyAccumulate(a, subgroupMatrixLoad<Right, row_major>(&slopes, 0u, 3u), v0);
    }
    {
      let a = subgroupMatrixLoad<Left, col_major>(&weights, weights0 + 48u, 3u);
      v0 = subgroupMatrixMultiplyAccumulate(a, subgroupMatrixLoad<Right, row_major>(&slopes, 48u, 3u), v0);
    }
    
    var dp0 = Sum(); var dp1 = Sum();
    {
      let a = subgroupMatrixLoad<Left, row_major>(&values, (subgroup * 16u) * 3u + 0u, 3u);
      dp0 = subgroupMatrixMultiplyAccumulate(a, subgroupMatrixLoad<Right, col_major>(&slopes, 0u, 3u), dp0);
      dp1 = subgroupMatrixMultiplyAccumulate(a, subgroupMatrixLoad<Right, col_major>(&slopes, 48u, 3u), dp1);
    }
    
    subgroupMatrixStore<col_major>(&scratch, scratch0, dp0, 5u);
    subgroupMatrixStore<col_major>(&scratch, scratch0 + 80u, dp1, 5u);
    workgroupBarrier();
    p0 *= scratch[scratch0 + lane * 5u + 0u] * factor0 - delta * 1024.0; p1 *= scratch[scratch0 + lane * 5u + 1u] * factor1 - delta * 1024.0; p2 *= scratch[scratch0 + lane * 5u + 2u] * factor2 - delta * 1024.0; p3 *= scratch[scratch0 + lane * 5u + 3u] * factor3 - delta * 1024.0;
    weights[place] = pack8(p0, p1);
    weights[place + 1u] = pack8(p2, p3);
    workgroupBarrier();
    {
      let a = subgroupMatrixLoad<Left, col_major>(&weights, weights0 + 0u, 3u);
      k0 = subgroupMatrixMultiplyAccumulate(a, subgroupMatrixLoad<Right, row_major>(&queries, 0u, 3u), k0);
    }
    {
      let a = subgroupMatrixLoad<Left, col_major>(&weights, weights0 + 48u, 3u);
      k0 = subgroupMatrixMultiplyAccumulate(a, subgroupMatrixLoad<Right, row_major>(&queries, 48u, 3u), k0);
    }
    workgroupBarrier();
    t = next;
    head = ahead;
  }
  
  workgroupBarrier();
  subgroupMatrixStore<row_major>(&scratch, scratch0 + 0u, k0, 9u);
  workgroupBarrier();
  for (var k = lane; k < 64u; k += 32u) {
    let r = k / 4u;
    let c = k % 4u;
    let row = first + i32(subgroup * 16u + r);
    if (row < sequence.count) {
      writeDqkv(sequence.start + row, 1u, keyHead, 0u + c, scratch[scratch0 + r * 9u + c] * (uniforms.scale / 1024.0));
    }
  }
  
  workgroupBarrier();
  subgroupMatrixStore<row_major>(&scratch, scratch0 + 0u, v0, 9u);
  workgroupBarrier();
  for (var k = lane; k < 64u; k += 32u) {
    let r = k / 4u;
    let c = k % 4u;
    let row = first + i32(subgroup * 16u + r);
    if (row < sequence.count) {
      writeDqkv(sequence.start + row, 2u, keyHead, 0u + c, scratch[scratch0 + r * 9u + c] * (1.0 / 1024.0));
    }
  }
}
