// lora inner matrix {"activation":"linear","factorTransposed":true,"dropout":true,"writes":"dropped","half":true,"fragments":1,"prepares":true,"nested":true,"blockShift":6,"nestedShift":8}


enable f16;
enable subgroups;
enable chromium_experimental_subgroup_matrix;
diagnostic(off, chromium.subgroup_matrix_uniformity);
diagnostic(off, subgroup_uniformity);

struct Uniforms { rows: u32, depth: u32, rank: u32, share: u32, scale: f32, threshold: u32, site: u32, keepScale: f32, tiles: u32, words: u32 }
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> factor: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> inner: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> written: array<vec4u>;
@group(0) @binding(4) var<storage, read> random: array<i32>;
@group(0) @binding(5) var<storage, read_write> weight: array<vec4u>;
@group(0) @binding(6) var<storage, read> packed: array<u32>;
@group(0) @binding(7) var<storage, read> code: array<f32>;
@group(0) @binding(8) var<storage, read> absmax: array<u32>;
@group(0) @binding(9) var<storage, read> nestedAbsmax: array<f32>;
@group(0) @binding(10) var<storage, read> nestedCode: array<f32>;
@group(0) @binding(11) var<storage, read> nestedOffset: array<f32>;
@group(0) @binding(12) var<uniform> uniforms: Uniforms;

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



fn two(word: u32, at: u32, scale: f32, level: f32) -> u32 {
  return pack(vec2f(subgroupShuffle(level, (word >> (at + 4u)) & 15u), subgroupShuffle(level, (word >> at) & 15u)) * scale);
}
fn dequantize(word: u32, scale: f32, level: f32) -> vec4u {
  return vec4u(two(word, 0u, scale, level), two(word, 8u, scale, level), two(word, 16u, scale, level), two(word, 24u, scale, level));
}
fn halfWeights(group: u32, words: u32, thread: u32) {
  let level = code[thread & 15u];
  
  let i0 = min((group * 4u + 0u) * 256u + thread, words - 1u);
  let block0 = (i0 * 8u) >> 6u;
  let codes0 = packed[i0];
  let absmaxWord0 = absmax[block0 >> 2u]; let nested0 = nestedAbsmax[block0 >> 8u];
  let i1 = min((group * 4u + 1u) * 256u + thread, words - 1u);
  let block1 = (i1 * 8u) >> 6u;
  let codes1 = packed[i1];
  let absmaxWord1 = absmax[block1 >> 2u]; let nested1 = nestedAbsmax[block1 >> 8u];
  let i2 = min((group * 4u + 2u) * 256u + thread, words - 1u);
  let block2 = (i2 * 8u) >> 6u;
  let codes2 = packed[i2];
  let absmaxWord2 = absmax[block2 >> 2u]; let nested2 = nestedAbsmax[block2 >> 8u];
  let i3 = min((group * 4u + 3u) * 256u + thread, words - 1u);
  let block3 = (i3 * 8u) >> 6u;
  let codes3 = packed[i3];
  let absmaxWord3 = absmax[block3 >> 2u]; let nested3 = nestedAbsmax[block3 >> 8u];
  let level0 = nestedCode[(absmaxWord0 >> ((block0 & 3u) * 8u)) & 255u];
  let level1 = nestedCode[(absmaxWord1 >> ((block1 & 3u) * 8u)) & 255u];
  let level2 = nestedCode[(absmaxWord2 >> ((block2 & 3u) * 8u)) & 255u];
  let level3 = nestedCode[(absmaxWord3 >> ((block3 & 3u) * 8u)) & 255u];
  weight[i0] = dequantize(codes0, fma(level0, nested0, nestedOffset[0]), level);
  weight[i1] = dequantize(codes1, fma(level1, nested1, nestedOffset[0]), level);
  weight[i2] = dequantize(codes2, fma(level2, nested2, nestedOffset[0]), level);
  weight[i3] = dequantize(codes3, fma(level3, nested3, nestedOffset[0]), level);
}

var<workgroup> left: array<vec4u, 528>;
var<workgroup> right: array<vec4u, 768>;
var<workgroup> sums: array<vec4f, 512>;
@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let subgroup = thread / 32u;
  let lane = thread % 32u;
  let odd = (lane & 1u) == 1u;
  if (workgroup.x >= uniforms.tiles) {
    if (workgroup.y == 0u) {
      halfWeights(workgroup.z * (workgroups.x - uniforms.tiles) + workgroup.x - uniforms.tiles, uniforms.words, thread);
    }
    return;
  }
  let row0 = workgroup.x * 16u;
  let rank0 = workgroup.y * 16u;
  let writer = workgroup.y == 0u;
  let start = workgroup.z * uniforms.share;
  let end = min(start + uniforms.share, uniforms.depth);
  let quads = uniforms.depth / 4u;
  let lastQuad = end / 4u - 1u;
  let rankQuads = uniforms.rank / 4u;
  let fragment = subgroup % 1u;
  let step = (subgroup / 1u) * 32u;
  var first0: vec4f; var second0: vec4f; var first1: vec4f; var second1: vec4f;
  var factorFirst0: vec4f; var factorSecond0: vec4f; var factorFirst1: vec4f; var factorSecond1: vec4f;
  var sum: Sum;
  var depth0 = start;
  
    first0 = x[min(row0 + ((thread & ~31u) * 2u + lane) / 64u, uniforms.rows - 1u) * quads + min(depth0 / 4u + ((thread & ~31u) * 2u + lane) % 64u, lastQuad)]; second0 = x[min(row0 + (((thread & ~31u) * 2u + lane) + 32u) / 64u, uniforms.rows - 1u) * quads + min(depth0 / 4u + (((thread & ~31u) * 2u + lane) + 32u) % 64u, lastQuad)];
    first1 = x[min(row0 + ((thread & ~31u) * 2u + lane + 512u) / 64u, uniforms.rows - 1u) * quads + min(depth0 / 4u + ((thread & ~31u) * 2u + lane + 512u) % 64u, lastQuad)]; second1 = x[min(row0 + (((thread & ~31u) * 2u + lane + 512u) + 32u) / 64u, uniforms.rows - 1u) * quads + min(depth0 / 4u + (((thread & ~31u) * 2u + lane + 512u) + 32u) % 64u, lastQuad)];
    factorFirst0 = factor[min(depth0 + (((thread & ~31u) * 2u + lane) / 4u), end - 1u) * rankQuads + min(rank0 / 4u + (((thread & ~31u) * 2u + lane) % 4u), rankQuads - 1u)]; factorSecond0 = factor[min(depth0 + ((((thread & ~31u) * 2u + lane) + 32u) / 4u), end - 1u) * rankQuads + min(rank0 / 4u + ((((thread & ~31u) * 2u + lane) + 32u) % 4u), rankQuads - 1u)];
    factorFirst1 = factor[min(depth0 + (((thread & ~31u) * 2u + lane + 512u) / 4u), end - 1u) * rankQuads + min(rank0 / 4u + (((thread & ~31u) * 2u + lane + 512u) % 4u), rankQuads - 1u)]; factorSecond1 = factor[min(depth0 + ((((thread & ~31u) * 2u + lane + 512u) + 32u) / 4u), end - 1u) * rankQuads + min(rank0 / 4u + ((((thread & ~31u) * 2u + lane + 512u) + 32u) % 4u), rankQuads - 1u)];
  loop {
    
    {
      let unit = (((thread & ~31u) * 2u + lane) + select(0u, 31u, odd)) / 2u;
      let line = unit / 32u;
      let column = (unit % 32u) * 8u;
      let row = row0 + line;
      let inside = depth0 + column < end;
      let at = min(row, uniforms.rows - 1u) * quads + (depth0 + column) / 4u;
      let pair = pairOf(first0, second0, odd);
      var low = select(vec4f(), pair.low, inside);
      var high = select(vec4f(), pair.high, inside);
      
      let words = dropoutWords(rowState(min(row, uniforms.rows - 1u)), (depth0 + column) / 8u, uniforms.site);
      let keepLow = dropoutBits(words.xy) >= vec4u(uniforms.threshold);
      let keepHigh = dropoutBits(words.zw) >= vec4u(uniforms.threshold);
      low = select(vec4f(), low * uniforms.keepScale, keepLow);
      high = select(vec4f(), high * uniforms.keepScale, keepHigh);
      if (writer && inside && row < uniforms.rows) { written[at / 2u] = pack8(low * 1024.0, high * 1024.0); }
      
      left[line * 33u + column / 8u] = pack8(low * 1024.0, high * 1024.0);
    }
    {
      let unit = (((thread & ~31u) * 2u + lane + 512u) + select(0u, 31u, odd)) / 2u;
      let line = unit / 32u;
      let column = (unit % 32u) * 8u;
      let row = row0 + line;
      let inside = depth0 + column < end;
      let at = min(row, uniforms.rows - 1u) * quads + (depth0 + column) / 4u;
      let pair = pairOf(first1, second1, odd);
      var low = select(vec4f(), pair.low, inside);
      var high = select(vec4f(), pair.high, inside);
      
      let words = dropoutWords(rowState(min(row, uniforms.rows - 1u)), (depth0 + column) / 8u, uniforms.site);
      let keepLow = dropoutBits(words.xy) >= vec4u(uniforms.threshold);
      let keepHigh = dropoutBits(words.zw) >= vec4u(uniforms.threshold);
      low = select(vec4f(), low * uniforms.keepScale, keepLow);
      high = select(vec4f(), high * uniforms.keepScale, keepHigh);
      if (writer && inside && row < uniforms.rows) { written[at / 2u] = pack8(low * 1024.0, high * 1024.0); }
      
      left[line * 33u + column / 8u] = pack8(low * 1024.0, high * 1024.0);
    }
    {
      let unit = (((thread & ~31u) * 2u + lane) + select(0u, 31u, odd)) / 2u;
      let line = unit / 2u;
      let at = unit % 2u;
      let inside = depth0 + line < end && rank0 + at * 8u < uniforms.rank;
      right[line * 3u + at] = select(vec4u(), pairUp(pack4(factorFirst0), pack4(factorSecond0), odd), inside);
    }
    {
      let unit = (((thread & ~31u) * 2u + lane + 512u) + select(0u, 31u, odd)) / 2u;
      let line = unit / 2u;
      let at = unit % 2u;
      let inside = depth0 + line < end && rank0 + at * 8u < uniforms.rank;
      right[line * 3u + at] = select(vec4u(), pairUp(pack4(factorFirst1), pack4(factorSecond1), odd), inside);
    }
    workgroupBarrier();
    depth0 += 256u;
    if (depth0 < end) {
      
    first0 = x[min(row0 + ((thread & ~31u) * 2u + lane) / 64u, uniforms.rows - 1u) * quads + min(depth0 / 4u + ((thread & ~31u) * 2u + lane) % 64u, lastQuad)]; second0 = x[min(row0 + (((thread & ~31u) * 2u + lane) + 32u) / 64u, uniforms.rows - 1u) * quads + min(depth0 / 4u + (((thread & ~31u) * 2u + lane) + 32u) % 64u, lastQuad)];
    first1 = x[min(row0 + ((thread & ~31u) * 2u + lane + 512u) / 64u, uniforms.rows - 1u) * quads + min(depth0 / 4u + ((thread & ~31u) * 2u + lane + 512u) % 64u, lastQuad)]; second1 = x[min(row0 + (((thread & ~31u) * 2u + lane + 512u) + 32u) / 64u, uniforms.rows - 1u) * quads + min(depth0 / 4u + (((thread & ~31u) * 2u + lane + 512u) + 32u) % 64u, lastQuad)];
    factorFirst0 = factor[min(depth0 + (((thread & ~31u) * 2u + lane) / 4u), end - 1u) * rankQuads + min(rank0 / 4u + (((thread & ~31u) * 2u + lane) % 4u), rankQuads - 1u)]; factorSecond0 = factor[min(depth0 + ((((thread & ~31u) * 2u + lane) + 32u) / 4u), end - 1u) * rankQuads + min(rank0 / 4u + ((((thread & ~31u) * 2u + lane) + 32u) % 4u), rankQuads - 1u)];
    factorFirst1 = factor[min(depth0 + (((thread & ~31u) * 2u + lane + 512u) / 4u), end - 1u) * rankQuads + min(rank0 / 4u + (((thread & ~31u) * 2u + lane + 512u) % 4u), rankQuads - 1u)]; factorSecond1 = factor[min(depth0 + ((((thread & ~31u) * 2u + lane + 512u) + 32u) / 4u), end - 1u) * rankQuads + min(rank0 / 4u + ((((thread & ~31u) * 2u + lane + 512u) + 32u) % 4u), rankQuads - 1u)];
    }
    sum = subgroupMatrixMultiplyAccumulate(subgroupMatrixLoad<Left, row_major>(&left, fragment * 528u + step / 8u + 0u, 33u), subgroupMatrixLoad<Right, row_major>(&right, (step + 0u) * 3u, 3u), sum);
    sum = subgroupMatrixMultiplyAccumulate(subgroupMatrixLoad<Left, row_major>(&left, fragment * 528u + step / 8u + 2u, 33u), subgroupMatrixLoad<Right, row_major>(&right, (step + 16u) * 3u, 3u), sum);
    workgroupBarrier();
    if (depth0 >= end) { break; }
  }
  subgroupMatrixStore<row_major>(&sums, subgroup * 64u, sum, 4u);
  workgroupBarrier();
  if (thread >= 64u) { return; }
  var total = vec4f();
  for (var s = 0u; s < 8u; s++) { total += sums[(s * 1u + thread / 64u) * 64u + thread % 64u]; }
  let row = row0 + thread / 4u;
  let rank = rank0 + (thread & 3u) * 4u;
  if (row < uniforms.rows && rank < uniforms.rank) {
    inner[((workgroup.z * uniforms.rows + row) * uniforms.rank + rank) / 4u] = total * (uniforms.scale / 1024.0);
  }
}
