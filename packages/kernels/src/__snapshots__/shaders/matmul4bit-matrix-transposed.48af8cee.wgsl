// matmul4bit matrix transposed {"tileRows":64,"tileColumns":64,"tileDepth":64,"subgroupRows":2,"subgroupColumns":2,"transposed":true,"left":"float16","right":"float16","nested":false,"blockShift":0,"nestedShift":0,"bias":false,"split":false,"rank":8,"innerParts":1,"masked":false,"slope":"gelu_tanh","residual":false,"dropout":false}


enable f16;
enable subgroups;
enable chromium_experimental_subgroup_matrix;
diagnostic(off, chromium.subgroup_matrix_uniformity);
diagnostic(off, subgroup_uniformity);

struct Uniforms { rows: u32, columns: u32, depth: u32, share: u32, weightRow: u32, factorScale: f32, keepScale: f32, threshold: u32, site: u32, dropoutScale: f32 }
@group(0) @binding(0) var<storage, read> x: array<vec4u>;
@group(0) @binding(1) var<storage, read_write> product: array<vec4f>;
@group(0) @binding(2) var<storage, read> weight: array<vec4u>;
@group(0) @binding(3) var<storage, read> inner: array<vec4f>;
@group(0) @binding(4) var<storage, read> factor: array<vec4f>;
@group(0) @binding(5) var<storage, read> activated: array<vec4f>;
@group(0) @binding(6) var<uniform> uniforms: Uniforms;
alias T = vec4f;
fn boundedTanh(x: T) -> T { return tanh(clamp(x, T(-12.0), T(12.0))); }
fn sigmoid(x: T) -> T { return 1.0 / (1.0 + exp(clamp(-x, T(-87.0), T(87.0)))); }
// log(1 + e) by its series where adding 1 would round e away.
fn softplus(x: T) -> T {
  let e = exp(-min(abs(x), T(87.0)));
  let series = e * (1.0 - e * (0.5 - e * (1.0 / 3.0 - e * 0.25)));
  return max(x, T(0.0)) + select(log(1.0 + e), series, e < T(0.02));
}
// Abramowitz and Stegun 7.1.26; off by 1.5e-7 at most.
fn erf(x: T) -> T {
  let t = 1.0 / (1.0 + 0.3275911 * abs(x));
  let polynomial = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return sign(x) * (1.0 - polynomial * exp(-min(x * x, T(87.0))));
}
fn normalDistribution(x: T) -> T { return 0.5 + 0.5 * erf(x * 0.7071067811865476); }
fn geluErf(x: T) -> T { return x * normalDistribution(x); }
fn geluErfSlope(x: T) -> T {
  return normalDistribution(x) + x * exp(-min(0.5 * x * x, T(87.0))) * 0.3989422804014327;
}
// (1 + tanh(z)) / 2 is 1 / (1 + exp(-2 z)): one exponential, and nothing cancels.
fn geluDecay(x: T) -> T {
  return exp(clamp(-1.5957691216057308 * x * (1.0 + 0.044715 * x * x), T(-87.0), T(87.0)));
}
fn activationSlope(x: T) -> T { let decay = geluDecay(x);
  let gate = 1.0 / (1.0 + decay);
  let near = clamp(x, T(-12.0), T(12.0));
  let slope = 1.5957691216057308 * (1.0 + 0.134145 * near * near);
  return gate * (1.0 + near * slope * (decay * gate)); }


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
  let rightAt = rightLine * (uniforms.weightRow / 8u) + column0 / 8u + rightStep;
  let rightTo = rightLine * 9u + rightStep;
  var right0: vec4u; var right1: vec4u; var right2: vec4u; var right3: vec4u;
  left0 = x[leftAt0 + depth0 / 8u]; left1 = x[leftAt1 + depth0 / 8u]; left2 = x[leftAt2 + depth0 / 8u]; left3 = x[leftAt3 + depth0 / 8u];
  right0 = weight[rightAt + (depth0 + 0u) * (uniforms.weightRow / 8u)]; right1 = weight[rightAt + (depth0 + 16u) * (uniforms.weightRow / 8u)]; right2 = weight[rightAt + (depth0 + 32u) * (uniforms.weightRow / 8u)]; right3 = weight[rightAt + (depth0 + 48u) * (uniforms.weightRow / 8u)];
  
  
  var sum0_0: Sum; var sum0_1: Sum; var sum1_0: Sum; var sum1_1: Sum;
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
    left[row * 9u + at / 8u] = pack8(low * 1024.0, high * 1024.0);
  }
  for (var u = thread; u < 128u; u += 128u) {
    let step = u / 8u;
    let at = (u % 8u) * 8u;
    let source = (step * uniforms.columns + column0 + at) / 4u;
    let inside = step < 8u;
    let to = step * 9u + at / 8u;
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
      let b0 = subgroupMatrixLoad<Right, row_major>(&right, 0u + (subgroupColumn + 0u) / 8u, 9u);
      let b1 = subgroupMatrixLoad<Right, row_major>(&right, 0u + (subgroupColumn + 16u) / 8u, 9u);
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
      right0 = weight[rightAt + (depth0 + 0u) * (uniforms.weightRow / 8u)]; right1 = weight[rightAt + (depth0 + 16u) * (uniforms.weightRow / 8u)]; right2 = weight[rightAt + (depth0 + 32u) * (uniforms.weightRow / 8u)]; right3 = weight[rightAt + (depth0 + 48u) * (uniforms.weightRow / 8u)];
    }
    {
      let a0 = subgroupMatrixLoad<Left, row_major>(&left, (subgroupRow + 0u) * 9u + 0u, 9u);
      let a1 = subgroupMatrixLoad<Left, row_major>(&left, (subgroupRow + 16u) * 9u + 0u, 9u);
      let b0 = subgroupMatrixLoad<Right, row_major>(&right, 0u + (subgroupColumn + 0u) / 8u, 9u);
      let b1 = subgroupMatrixLoad<Right, row_major>(&right, 0u + (subgroupColumn + 16u) / 8u, 9u);
      sum0_0 = subgroupMatrixMultiplyAccumulate(a0, b0, sum0_0);
      sum0_1 = subgroupMatrixMultiplyAccumulate(a0, b1, sum0_1);
      sum1_0 = subgroupMatrixMultiplyAccumulate(a1, b0, sum1_0);
      sum1_1 = subgroupMatrixMultiplyAccumulate(a1, b1, sum1_1);
    }
    {
      let a0 = subgroupMatrixLoad<Left, row_major>(&left, (subgroupRow + 0u) * 9u + 2u, 9u);
      let a1 = subgroupMatrixLoad<Left, row_major>(&left, (subgroupRow + 16u) * 9u + 2u, 9u);
      let b0 = subgroupMatrixLoad<Right, row_major>(&right, 144u + (subgroupColumn + 0u) / 8u, 9u);
      let b1 = subgroupMatrixLoad<Right, row_major>(&right, 144u + (subgroupColumn + 16u) / 8u, 9u);
      sum0_0 = subgroupMatrixMultiplyAccumulate(a0, b0, sum0_0);
      sum0_1 = subgroupMatrixMultiplyAccumulate(a0, b1, sum0_1);
      sum1_0 = subgroupMatrixMultiplyAccumulate(a1, b0, sum1_0);
      sum1_1 = subgroupMatrixMultiplyAccumulate(a1, b1, sum1_1);
    }
    {
      let a0 = subgroupMatrixLoad<Left, row_major>(&left, (subgroupRow + 0u) * 9u + 4u, 9u);
      let a1 = subgroupMatrixLoad<Left, row_major>(&left, (subgroupRow + 16u) * 9u + 4u, 9u);
      let b0 = subgroupMatrixLoad<Right, row_major>(&right, 288u + (subgroupColumn + 0u) / 8u, 9u);
      let b1 = subgroupMatrixLoad<Right, row_major>(&right, 288u + (subgroupColumn + 16u) / 8u, 9u);
      sum0_0 = subgroupMatrixMultiplyAccumulate(a0, b0, sum0_0);
      sum0_1 = subgroupMatrixMultiplyAccumulate(a0, b1, sum0_1);
      sum1_0 = subgroupMatrixMultiplyAccumulate(a1, b0, sum1_0);
      sum1_1 = subgroupMatrixMultiplyAccumulate(a1, b1, sum1_1);
    }
    {
      let a0 = subgroupMatrixLoad<Left, row_major>(&left, (subgroupRow + 0u) * 9u + 6u, 9u);
      let a1 = subgroupMatrixLoad<Left, row_major>(&left, (subgroupRow + 16u) * 9u + 6u, 9u);
      let b0 = subgroupMatrixLoad<Right, row_major>(&right, 432u + (subgroupColumn + 0u) / 8u, 9u);
      let b1 = subgroupMatrixLoad<Right, row_major>(&right, 432u + (subgroupColumn + 16u) / 8u, 9u);
      sum0_0 = subgroupMatrixMultiplyAccumulate(a0, b0, sum0_0);
      sum0_1 = subgroupMatrixMultiplyAccumulate(a0, b1, sum0_1);
      sum1_0 = subgroupMatrixMultiplyAccumulate(a1, b0, sum1_0);
      sum1_1 = subgroupMatrixMultiplyAccumulate(a1, b1, sum1_1);
    }
    workgroupBarrier();
    if (depth0 >= end) { break; }
  }
  
  sum0_0 = subgroupMatrixScalarMultiply(sum0_0, 0.0009765625f); sum0_1 = subgroupMatrixScalarMultiply(sum0_1, 0.0009765625f); sum1_0 = subgroupMatrixScalarMultiply(sum1_0, 0.0009765625f); sum1_1 = subgroupMatrixScalarMultiply(sum1_1, 0.0009765625f);
  let pitch = uniforms.columns / 4u;
  let line0_0_0 = row0 + subgroupRow + 0u + (lane >> 2u);
    let at0_0_0 = min(line0_0_0, uniforms.rows - 1u) * pitch + (column0 + subgroupColumn) / 4u + 0u + (lane & 3u);
    
    let activated0_0_0 = activated[at0_0_0];
    
    let line0_0_1 = row0 + subgroupRow + 8u + (lane >> 2u);
    let at0_0_1 = min(line0_0_1, uniforms.rows - 1u) * pitch + (column0 + subgroupColumn) / 4u + 0u + (lane & 3u);
    
    let activated0_0_1 = activated[at0_0_1];
    
    let line0_1_0 = row0 + subgroupRow + 0u + (lane >> 2u);
    let at0_1_0 = min(line0_1_0, uniforms.rows - 1u) * pitch + (column0 + subgroupColumn) / 4u + 4u + (lane & 3u);
    
    let activated0_1_0 = activated[at0_1_0];
    
    let line0_1_1 = row0 + subgroupRow + 8u + (lane >> 2u);
    let at0_1_1 = min(line0_1_1, uniforms.rows - 1u) * pitch + (column0 + subgroupColumn) / 4u + 4u + (lane & 3u);
    
    let activated0_1_1 = activated[at0_1_1];
    
    {
    
    subgroupMatrixStore<row_major>(&left, scratch0, sum0_0, 4u);
    workgroupBarrier();
    var value0 = bitcast<vec4f>(left[scratch0 + lane + 0u]); var value1 = bitcast<vec4f>(left[scratch0 + lane + 32u]);
    workgroupBarrier();
    
    
    
    
    value0 *= activationSlope(activated0_0_0);
    
    
    if (line0_0_0 < uniforms.rows) { product[at0_0_0] = value0; }
    
    value1 *= activationSlope(activated0_0_1);
    
    
    if (line0_0_1 < uniforms.rows) { product[at0_0_1] = value1; }
  }
  let line1_0_0 = row0 + subgroupRow + 16u + (lane >> 2u);
    let at1_0_0 = min(line1_0_0, uniforms.rows - 1u) * pitch + (column0 + subgroupColumn) / 4u + 0u + (lane & 3u);
    
    let activated1_0_0 = activated[at1_0_0];
    
    let line1_0_1 = row0 + subgroupRow + 24u + (lane >> 2u);
    let at1_0_1 = min(line1_0_1, uniforms.rows - 1u) * pitch + (column0 + subgroupColumn) / 4u + 0u + (lane & 3u);
    
    let activated1_0_1 = activated[at1_0_1];
    
    {
    
    subgroupMatrixStore<row_major>(&left, scratch0, sum0_1, 4u);
    workgroupBarrier();
    var value0 = bitcast<vec4f>(left[scratch0 + lane + 0u]); var value1 = bitcast<vec4f>(left[scratch0 + lane + 32u]);
    workgroupBarrier();
    
    
    
    
    value0 *= activationSlope(activated0_1_0);
    
    
    if (line0_1_0 < uniforms.rows) { product[at0_1_0] = value0; }
    
    value1 *= activationSlope(activated0_1_1);
    
    
    if (line0_1_1 < uniforms.rows) { product[at0_1_1] = value1; }
  }
  let line1_1_0 = row0 + subgroupRow + 16u + (lane >> 2u);
    let at1_1_0 = min(line1_1_0, uniforms.rows - 1u) * pitch + (column0 + subgroupColumn) / 4u + 4u + (lane & 3u);
    
    let activated1_1_0 = activated[at1_1_0];
    
    let line1_1_1 = row0 + subgroupRow + 24u + (lane >> 2u);
    let at1_1_1 = min(line1_1_1, uniforms.rows - 1u) * pitch + (column0 + subgroupColumn) / 4u + 4u + (lane & 3u);
    
    let activated1_1_1 = activated[at1_1_1];
    
    {
    
    subgroupMatrixStore<row_major>(&left, scratch0, sum1_0, 4u);
    workgroupBarrier();
    var value0 = bitcast<vec4f>(left[scratch0 + lane + 0u]); var value1 = bitcast<vec4f>(left[scratch0 + lane + 32u]);
    workgroupBarrier();
    
    
    
    
    value0 *= activationSlope(activated1_0_0);
    
    
    if (line1_0_0 < uniforms.rows) { product[at1_0_0] = value0; }
    
    value1 *= activationSlope(activated1_0_1);
    
    
    if (line1_0_1 < uniforms.rows) { product[at1_0_1] = value1; }
  }
  
    {
    
    subgroupMatrixStore<row_major>(&left, scratch0, sum1_1, 4u);
    workgroupBarrier();
    var value0 = bitcast<vec4f>(left[scratch0 + lane + 0u]); var value1 = bitcast<vec4f>(left[scratch0 + lane + 32u]);
    workgroupBarrier();
    
    
    
    
    value0 *= activationSlope(activated1_1_0);
    
    
    if (line1_1_0 < uniforms.rows) { product[at1_1_0] = value0; }
    
    value1 *= activationSlope(activated1_1_1);
    
    
    if (line1_1_1 < uniforms.rows) { product[at1_1_1] = value1; }
  }
  
}
