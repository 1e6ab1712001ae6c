// matmul4bit matrix {"tileRows":64,"tileColumns":64,"tileDepth":64,"subgroupRows":2,"subgroupColumns":2,"transposed":false,"left":"float16","right":"float16","nested":false,"blockShift":0,"nestedShift":0,"bias":true,"split":false,"rank":8,"innerParts":1,"masked":false,"slope":"linear","residual":true,"dropout":true}


enable f16;
enable subgroups;
enable chromium_experimental_subgroup_matrix;
diagnostic(off, chromium.subgroup_matrix_uniformity);
diagnostic(off, subgroup_uniformity);

struct Uniforms { rows: u32, columns: u32, depth: u32, share: u32, weightRow: u32, factorScale: f32, keepScale: f32, threshold: u32, site: u32, dropoutScale: f32 }
@group(0) @binding(0) var<storage, read> x: array<vec4u>;
@group(0) @binding(1) var<storage, read_write> product: array<vec4f>;
@group(0) @binding(2) var<storage, read> weight: array<vec4u>;
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;
@group(0) @binding(4) var<storage, read> inner: array<vec4f>;
@group(0) @binding(5) var<storage, read> factor: array<vec4f>;
@group(0) @binding(6) var<storage, read> residual: array<vec4f>;
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

// Eight f16 an element.
var<workgroup> left: array<vec4u, 832>;
var<workgroup> right: array<vec4u, 576>;



@compute @workgroup_size(128)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  let subgroup = thread / 32u;
  let lane = thread % 32u;
  let odd = (lane & 1u) == 1u;
  let row0 = workgroup.y * 64u;
  let column0 = workgroup.x * 64u;
  let subgroupRow = (subgroup / 2u) * 32u;
  let subgroupColumn = (subgroup % 2u) * 32u;
  let scratch0 = 576u + subgroup * 64u;
  let start = workgroup.z * uniforms.share;
  let end = start + uniforms.share;
  var depth0 = start;
  
  let leftLine = thread / 8u;
  let leftStep = thread % 8u;
  let leftAt0 = min(row0 + leftLine + 0u, uniforms.rows - 1u) * (uniforms.depth / 8u) + leftStep; var left0: vec4u;
  let leftAt1 = min(row0 + leftLine + 16u, uniforms.rows - 1u) * (uniforms.depth / 8u) + leftStep; var left1: vec4u;
  let leftAt2 = min(row0 + leftLine + 32u, uniforms.rows - 1u) * (uniforms.depth / 8u) + leftStep; var left2: vec4u;
  let leftAt3 = min(row0 + leftLine + 48u, uniforms.rows - 1u) * (uniforms.depth / 8u) + leftStep; var left3: vec4u;
  let leftTo = leftLine * 9u + leftStep;
  
  let rightLine = thread / 8u;
  let rightStep = thread % 8u;
  let rightAt = (column0 + rightLine) * (uniforms.weightRow / 8u) + rightStep;
  let rightTo = rightLine * 9u + rightStep;
  var right0: vec4u; var right1: vec4u; var right2: vec4u; var right3: vec4u;
  left0 = x[leftAt0 + depth0 / 8u]; left1 = x[leftAt1 + depth0 / 8u]; left2 = x[leftAt2 + depth0 / 8u]; left3 = x[leftAt3 + depth0 / 8u];
  right0 = weight[rightAt + 0u * (uniforms.weightRow / 8u) + depth0 / 8u]; right1 = weight[rightAt + 16u * (uniforms.weightRow / 8u) + depth0 / 8u]; right2 = weight[rightAt + 32u * (uniforms.weightRow / 8u) + depth0 / 8u]; right3 = weight[rightAt + 48u * (uniforms.weightRow / 8u) + depth0 / 8u];
  
  
  var sum0_0: Sum; var sum0_1: Sum; var sum1_0: Sum; var sum1_1: Sum;
  
  let bias0 = bitcast<vec4u>(bias[(column0 + subgroupColumn) / 4u + 0u + (lane & 3u)]);
  let bias1 = bitcast<vec4u>(bias[(column0 + subgroupColumn) / 4u + 4u + (lane & 3u)]);
  
  left[scratch0 + lane] = bias0;
  left[scratch0 + lane + 32u] = bias0;
  workgroupBarrier();
  sum0_0 = subgroupMatrixLoad<Sum, row_major>(&left, scratch0, 4u); sum1_0 = subgroupMatrixLoad<Sum, row_major>(&left, scratch0, 4u);
  workgroupBarrier();
  left[scratch0 + lane] = bias1;
  left[scratch0 + lane + 32u] = bias1;
  workgroupBarrier();
  sum0_1 = subgroupMatrixLoad<Sum, row_major>(&left, scratch0, 4u); sum1_1 = subgroupMatrixLoad<Sum, row_major>(&left, scratch0, 4u);
  workgroupBarrier();
  
  for (var u = thread; u < 128u; u += 128u) {
    let row = u / 2u;
    let at = (u % 2u) * 8u;
    var low = vec4f();
    var high = vec4f();
    if (at < 8u) {
      let source = (min(row0 + row, uniforms.rows - 1u) * 8u + at) / 4u;
      { let at = source + 0u * uniforms.rows * 2u; low += inner[at]; high += inner[at + 1u]; }
    }
    left[row * 9u + at / 8u] = pack8(low, high);
  }
  for (var u = thread; u < 128u; u += 128u) {
    let column = u / 2u;
    let at = (u % 2u) * 8u;
    let source = ((column0 + column) * 8u + at) / 4u;
    let inside = at < 8u;
    let to = column * 9u + at / 8u;
    var low = vec4f();
    var high = vec4f();
    if (inside) {
      low = factor[source] * uniforms.factorScale;
      high = factor[source + 1u] * uniforms.factorScale;
    }
    right[to] = pack8(low, high);
  }
  workgroupBarrier();
  {
      let a0 = subgroupMatrixLoad<Left, row_major>(&left, (subgroupRow + 0u) * 9u + 0u, 9u);
      let a1 = subgroupMatrixLoad<Left, row_major>(&left, (subgroupRow + 16u) * 9u + 0u, 9u);
      let b0 = subgroupMatrixLoad<Right, col_major>(&right, (subgroupColumn + 0u) * 9u + 0u, 9u);
      let b1 = subgroupMatrixLoad<Right, col_major>(&right, (subgroupColumn + 16u) * 9u + 0u, 9u);
      sum0_0 = subgroupMatrixMultiplyAccumulate(a0, b0, sum0_0);
      sum0_1 = subgroupMatrixMultiplyAccumulate(a0, b1, sum0_1);
      sum1_0 = subgroupMatrixMultiplyAccumulate(a1, b0, sum1_0);
      sum1_1 = subgroupMatrixMultiplyAccumulate(a1, b1, sum1_1);
    }workgroupBarrier();
  loop {
    left[leftTo + 0u] = left0;
      left[leftTo + 144u] = left1;
      left[leftTo + 288u] = left2;
      left[leftTo + 432u] = left3;
    right[rightTo + 0u] = right0;
      right[rightTo + 144u] = right1;
      right[rightTo + 288u] = right2;
      right[rightTo + 432u] = right3;
    workgroupBarrier();
    depth0 += 64u;
    if (depth0 < end) {
      left0 = x[leftAt0 + depth0 / 8u]; left1 = x[leftAt1 + depth0 / 8u]; left2 = x[leftAt2 + depth0 / 8u]; left3 = x[leftAt3 + depth0 / 8u];
      right0 = weight[rightAt + 0u * (uniforms.weightRow / 8u) + depth0 / 8u]; right1 = weight[rightAt + 16u * (uniforms.weightRow / 8u) + depth0 / 8u]; right2 = weight[rightAt + 32u * (uniforms.weightRow / 8u) + depth0 / 8u]; right3 = weight[rightAt + 48u * (uniforms.weightRow / 8u) + depth0 / 8u];
    }
    {
      let a0 = subgroupMatrixLoad<Left, row_major>(&left, (subgroupRow + 0u) * 9u + 0u, 9u);
      let a1 = subgroupMatrixLoad<Left, row_major>(&left, (subgroupRow + 16u) * 9u + 0u, 9u);
      let b0 = subgroupMatrixLoad<Right, col_major>(&right, (subgroupColumn + 0u) * 9u + 0u, 9u);
      let b1 = subgroupMatrixLoad<Right, col_major>(&right, (subgroupColumn + 16u) * 9u + 0u, 9u);
      sum0_0 = subgroupMatrixMultiplyAccumulate(a0, b0, sum0_0);
      sum0_1 = subgroupMatrixMultiplyAccumulate(a0, b1, sum0_1);
      sum1_0 = subgroupMatrixMultiplyAccumulate(a1, b0, sum1_0);
      sum1_1 = subgroupMatrixMultiplyAccumulate(a1, b1, sum1_1);
    }
    {
      let a0 = subgroupMatrixLoad<Left, row_major>(&left, (subgroupRow + 0u) * 9u + 2u, 9u);
      let a1 = subgroupMatrixLoad<Left, row_major>(&left, (subgroupRow + 16u) * 9u + 2u, 9u);
      let b0 = subgroupMatrixLoad<Right, col_major>(&right, (subgroupColumn + 0u) * 9u + 2u, 9u);
      let b1 = subgroupMatrixLoad<Right, col_major>(&right, (subgroupColumn + 16u) * 9u + 2u, 9u);
      sum0_0 = subgroupMatrixMultiplyAccumulate(a0, b0, sum0_0);
      sum0_1 = subgroupMatrixMultiplyAccumulate(a0, b1, sum0_1);
      sum1_0 = subgroupMatrixMultiplyAccumulate(a1, b0, sum1_0);
      sum1_1 = subgroupMatrixMultiplyAccumulate(a1, b1, sum1_1);
    }
    {
      let a0 = subgroupMatrixLoad<Left, row_major>(&left, (subgroupRow + 0u) * 9u + 4u, 9u);
      let a1 = subgroupMatrixLoad<Left, row_major>(&left, (subgroupRow + 16u) * 9u + 4u, 9u);
      let b0 = subgroupMatrixLoad<Right, col_major>(&right, (subgroupColumn + 0u) * 9u + 4u, 9u);
      let b1 = subgroupMatrixLoad<Right, col_major>(&right, (subgroupColumn + 16u) * 9u + 4u, 9u);
      sum0_0 = subgroupMatrixMultiplyAccumulate(a0, b0, sum0_0);
      sum0_1 = subgroupMatrixMultiplyAccumulate(a0, b1, sum0_1);
      sum1_0 = subgroupMatrixMultiplyAccumulate(a1, b0, sum1_0);
      sum1_1 = subgroupMatrixMultiplyAccumulate(a1, b1, sum1_1);
    }
    {
      let a0 = subgroupMatrixLoad<Left, row_major>(&left, (subgroupRow + 0u) * 9u + 6u, 9u);
      let a1 = subgroupMatrixLoad<Left, row_major>(&left, (subgroupRow + 16u) * 9u + 6u, 9u);
      let b0 = subgroupMatrixLoad<Right, col_major>(&right, (subgroupColumn + 0u) * 9u + 6u, 9u);
      let b1 = subgroupMatrixLoad<Right, col_major>(&right, (subgroupColumn + 16u) * 9u + 6u, 9u);
      sum0_0 = subgroupMatrixMultiplyAccumulate(a0, b0, sum0_0);
      sum0_1 = subgroupMatrixMultiplyAccumulate(a0, b1, sum0_1);
      sum1_0 = subgroupMatrixMultiplyAccumulate(a1, b0, sum1_0);
      sum1_1 = subgroupMatrixMultiplyAccumulate(a1, b1, sum1_1);
    }
    workgroupBarrier();
    if (depth0 >= end) { break; }
  }
  
  
  let pitch = uniforms.columns / 4u;
  let line0_0_0 = row0 + subgroupRow + 0u + (lane >> 2u);
    let at0_0_0 = min(line0_0_0, uniforms.rows - 1u) * pitch + (column0 + subgroupColumn) / 4u + 0u + (lane & 3u);
    let residual0_0_0 = residual[at0_0_0];
    
    
    let line0_0_1 = row0 + subgroupRow + 8u + (lane >> 2u);
    let at0_0_1 = min(line0_0_1, uniforms.rows - 1u) * pitch + (column0 + subgroupColumn) / 4u + 0u + (lane & 3u);
    let residual0_0_1 = residual[at0_0_1];
    
    
    let line0_1_0 = row0 + subgroupRow + 0u + (lane >> 2u);
    let at0_1_0 = min(line0_1_0, uniforms.rows - 1u) * pitch + (column0 + subgroupColumn) / 4u + 4u + (lane & 3u);
    let residual0_1_0 = residual[at0_1_0];
    
    
    let line0_1_1 = row0 + subgroupRow + 8u + (lane >> 2u);
    let at0_1_1 = min(line0_1_1, uniforms.rows - 1u) * pitch + (column0 + subgroupColumn) / 4u + 4u + (lane & 3u);
    let residual0_1_1 = residual[at0_1_1];
    
    
    {
    
    subgroupMatrixStore<row_major>(&left, scratch0, sum0_0, 4u);
    workgroupBarrier();
    var value0 = bitcast<vec4f>(left[scratch0 + lane + 0u]); var value1 = bitcast<vec4f>(left[scratch0 + lane + 32u]);
    workgroupBarrier();
    
    let ownRow = min(select(line0_0_0, line0_0_1, odd), uniforms.rows - 1u);
    let own = dropoutWords(rowState(ownRow), ((column0 + subgroupColumn) / 4u + 0u + (lane & 3u)) >> 1u, uniforms.site);
    let got = subgroupShuffleXor(select(own.zw, own.xy, odd), 1u);
    let bits0 = dropoutBits(select(own.xy, got, odd));
    let bits1 = dropoutBits(select(got, own.zw, odd));
    
    
    
    value0 = select(vec4f(), value0 * uniforms.dropoutScale, bits0 >= vec4u(uniforms.threshold));
    value0 += residual0_0_0;
    if (line0_0_0 < uniforms.rows) { product[at0_0_0] = value0; }
    
    
    value1 = select(vec4f(), value1 * uniforms.dropoutScale, bits1 >= vec4u(uniforms.threshold));
    value1 += residual0_0_1;
    if (line0_0_1 < uniforms.rows) { product[at0_0_1] = value1; }
  }
  let line1_0_0 = row0 + subgroupRow + 16u + (lane >> 2u);
    let at1_0_0 = min(line1_0_0, uniforms.rows - 1u) * pitch + (column0 + subgroupColumn) / 4u + 0u + (lane & 3u);
    let residual1_0_0 = residual[at1_0_0];
    
    
    let line1_0_1 = row0 + subgroupRow + 24u + (lane >> 2u);
    let at1_0_1 = min(line1_0_1, uniforms.rows - 1u) * pitch + (column0 + subgroupColumn) / 4u + 0u + (lane & 3u);
    let residual1_0_1 = residual[at1_0_1];
    
    
    {
    
    subgroupMatrixStore<row_major>(&left, scratch0, sum0_1, 4u);
    workgroupBarrier();
    var value0 = bitcast<vec4f>(left[scratch0 + lane + 0u]); var value1 = bitcast<vec4f>(left[scratch0 + lane + 32u]);
    workgroupBarrier();
    
    let ownRow = min(select(line0_1_0, line0_1_1, odd), uniforms.rows - 1u);
    let own = dropoutWords(rowState(ownRow), ((column0 + subgroupColumn) / 4u + 4u + (lane & 3u)) >> 1u, uniforms.site);
    let got = subgroupShuffleXor(select(own.zw, own.xy, odd), 1u);
    let bits0 = dropoutBits(select(own.xy, got, odd));
    let bits1 = dropoutBits(select(got, own.zw, odd));
    
    
    
    value0 = select(vec4f(), value0 * uniforms.dropoutScale, bits0 >= vec4u(uniforms.threshold));
    value0 += residual0_1_0;
    if (line0_1_0 < uniforms.rows) { product[at0_1_0] = value0; }
    
    
    value1 = select(vec4f(), value1 * uniforms.dropoutScale, bits1 >= vec4u(uniforms.threshold));
    value1 += residual0_1_1;
    if (line0_1_1 < uniforms.rows) { product[at0_1_1] = value1; }
  }
  let line1_1_0 = row0 + subgroupRow + 16u + (lane >> 2u);
    let at1_1_0 = min(line1_1_0, uniforms.rows - 1u) * pitch + (column0 + subgroupColumn) / 4u + 4u + (lane & 3u);
    let residual1_1_0 = residual[at1_1_0];
    
    
    let line1_1_1 = row0 + subgroupRow + 24u + (lane >> 2u);
    let at1_1_1 = min(line1_1_1, uniforms.rows - 1u) * pitch + (column0 + subgroupColumn) / 4u + 4u + (lane & 3u);
    let residual1_1_1 = residual[at1_1_1];
    
    
    {
    
    subgroupMatrixStore<row_major>(&left, scratch0, sum1_0, 4u);
    workgroupBarrier();
    var value0 = bitcast<vec4f>(left[scratch0 + lane + 0u]); var value1 = bitcast<vec4f>(left[scratch0 + lane + 32u]);
    workgroupBarrier();
    
    let ownRow = min(select(line1_0_0, line1_0_1, odd), uniforms.rows - 1u);
    let own = dropoutWords(rowState(ownRow), ((column0 + subgroupColumn) / 4u + 0u + (lane & 3u)) >> 1u, uniforms.site);
    let got = subgroupShuffleXor(select(own.zw, own.xy, odd), 1u);
    let bits0 = dropoutBits(select(own.xy, got, odd));
    let bits1 = dropoutBits(select(got, own.zw, odd));
    
    
    
    value0 = select(vec4f(), value0 * uniforms.dropoutScale, bits0 >= vec4u(uniforms.threshold));
    value0 += residual1_0_0;
    if (line1_0_0 < uniforms.rows) { product[at1_0_0] = value0; }
    
    
    value1 = select(vec4f(), value1 * uniforms.dropoutScale, bits1 >= vec4u(uniforms.threshold));
    value1 += residual1_0_1;
    if (line1_0_1 < uniforms.rows) { product[at1_0_1] = value1; }
  }
  
    {
    
    subgroupMatrixStore<row_major>(&left, scratch0, sum1_1, 4u);
    workgroupBarrier();
    var value0 = bitcast<vec4f>(left[scratch0 + lane + 0u]); var value1 = bitcast<vec4f>(left[scratch0 + lane + 32u]);
    workgroupBarrier();
    
    let ownRow = min(select(line1_1_0, line1_1_1, odd), uniforms.rows - 1u);
    let own = dropoutWords(rowState(ownRow), ((column0 + subgroupColumn) / 4u + 4u + (lane & 3u)) >> 1u, uniforms.site);
    let got = subgroupShuffleXor(select(own.zw, own.xy, odd), 1u);
    let bits0 = dropoutBits(select(own.xy, got, odd));
    let bits1 = dropoutBits(select(got, own.zw, odd));
    
    
    
    value0 = select(vec4f(), value0 * uniforms.dropoutScale, bits0 >= vec4u(uniforms.threshold));
    value0 += residual1_1_0;
    if (line1_1_0 < uniforms.rows) { product[at1_1_0] = value0; }
    
    
    value1 = select(vec4f(), value1 * uniforms.dropoutScale, bits1 >= vec4u(uniforms.threshold));
    value1 += residual1_1_1;
    if (line1_1_1 < uniforms.rows) { product[at1_1_1] = value1; }
  }
  
}
