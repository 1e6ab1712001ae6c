// matmul4bit matrix {"tileRows":64,"tileColumns":64,"tileDepth":64,"subgroupRows":2,"subgroupColumns":2,"transposed":false,"left":"float32","right":"float16","nested":false,"blockShift":0,"nestedShift":0,"bias":true,"split":false,"rank":0,"innerParts":1,"masked":false,"slope":"linear","residual":false,"dropout":false}


enable f16;
enable subgroups;
enable chromium_experimental_subgroup_matrix;
diagnostic(off, chromium.subgroup_matrix_uniformity);
diagnostic(off, subgroup_uniformity);

struct Uniforms { rows: u32, columns: u32, depth: u32, share: u32, weightRow: u32, factorScale: f32, keepScale: f32, threshold: u32, site: u32, dropoutScale: f32 }
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> product: array<vec4f>;
@group(0) @binding(2) var<storage, read> weight: array<vec4u>;
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;
@group(0) @binding(4) var<uniform> uniforms: Uniforms;



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
  
  
  let leftAt0 = min(row0 + ((thread & ~31u) * 2u + lane) / 16u, uniforms.rows - 1u) * (uniforms.depth / 4u) + ((thread & ~31u) * 2u + lane) % 16u;
  let leftNext0 = min(row0 + (((thread & ~31u) * 2u + lane) + 32u) / 16u, uniforms.rows - 1u) * (uniforms.depth / 4u) + (((thread & ~31u) * 2u + lane) + 32u) % 16u;
  let leftAt1 = min(row0 + ((thread & ~31u) * 2u + lane + 256u) / 16u, uniforms.rows - 1u) * (uniforms.depth / 4u) + ((thread & ~31u) * 2u + lane + 256u) % 16u;
  let leftNext1 = min(row0 + (((thread & ~31u) * 2u + lane + 256u) + 32u) / 16u, uniforms.rows - 1u) * (uniforms.depth / 4u) + (((thread & ~31u) * 2u + lane + 256u) + 32u) % 16u;
  let leftAt2 = min(row0 + ((thread & ~31u) * 2u + lane + 512u) / 16u, uniforms.rows - 1u) * (uniforms.depth / 4u) + ((thread & ~31u) * 2u + lane + 512u) % 16u;
  let leftNext2 = min(row0 + (((thread & ~31u) * 2u + lane + 512u) + 32u) / 16u, uniforms.rows - 1u) * (uniforms.depth / 4u) + (((thread & ~31u) * 2u + lane + 512u) + 32u) % 16u;
  let leftAt3 = min(row0 + ((thread & ~31u) * 2u + lane + 768u) / 16u, uniforms.rows - 1u) * (uniforms.depth / 4u) + ((thread & ~31u) * 2u + lane + 768u) % 16u;
  let leftNext3 = min(row0 + (((thread & ~31u) * 2u + lane + 768u) + 32u) / 16u, uniforms.rows - 1u) * (uniforms.depth / 4u) + (((thread & ~31u) * 2u + lane + 768u) + 32u) % 16u;
  let leftUnit = (((thread & ~31u) * 2u + lane) + select(0u, 31u, odd)) / 2u;
  let leftTo = (leftUnit / 8u) * 9u + leftUnit % 8u;
  var left0: vec4f; var other0: vec4f; var left1: vec4f; var other1: vec4f; var left2: vec4f; var other2: vec4f; var left3: vec4f; var other3: vec4f;
  
  let rightLine = thread / 8u;
  let rightStep = thread % 8u;
  let rightAt = (column0 + rightLine) * (uniforms.weightRow / 8u) + rightStep;
  let rightTo = rightLine * 9u + rightStep;
  var right0: vec4u; var right1: vec4u; var right2: vec4u; var right3: vec4u;
  left0 = x[leftAt0 + depth0 / 4u]; other0 = x[leftNext0 + depth0 / 4u];
    left1 = x[leftAt1 + depth0 / 4u]; other1 = x[leftNext1 + depth0 / 4u];
    left2 = x[leftAt2 + depth0 / 4u]; other2 = x[leftNext2 + depth0 / 4u];
    left3 = x[leftAt3 + depth0 / 4u]; other3 = x[leftNext3 + depth0 / 4u];
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
  
  loop {
    left[leftTo + 0u] = pairUp(pack4(left0), pack4(other0), odd);
      left[leftTo + 144u] = pairUp(pack4(left1), pack4(other1), odd);
      left[leftTo + 288u] = pairUp(pack4(left2), pack4(other2), odd);
      left[leftTo + 432u] = pairUp(pack4(left3), pack4(other3), odd);
    right[rightTo + 0u] = right0;
      right[rightTo + 144u] = right1;
      right[rightTo + 288u] = right2;
      right[rightTo + 432u] = right3;
    workgroupBarrier();
    depth0 += 64u;
    if (depth0 < end) {
      left0 = x[leftAt0 + depth0 / 4u]; other0 = x[leftNext0 + depth0 / 4u];
    left1 = x[leftAt1 + depth0 / 4u]; other1 = x[leftNext1 + depth0 / 4u];
    left2 = x[leftAt2 + depth0 / 4u]; other2 = x[leftNext2 + depth0 / 4u];
    left3 = x[leftAt3 + depth0 / 4u]; other3 = x[leftNext3 + depth0 / 4u];
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
  if (row0 + 64u <= uniforms.rows) {
    let first = (row0 + subgroupRow) * pitch + (column0 + subgroupColumn) / 4u;
    subgroupMatrixStore<row_major>(&product, first + 0u * pitch + 0u, sum0_0, pitch);
    subgroupMatrixStore<row_major>(&product, first + 0u * pitch + 4u, sum0_1, pitch);
    subgroupMatrixStore<row_major>(&product, first + 16u * pitch + 0u, sum1_0, pitch);
    subgroupMatrixStore<row_major>(&product, first + 16u * pitch + 4u, sum1_1, pitch);
  } else {
    let line0_0_0 = row0 + subgroupRow + 0u + (lane >> 2u);
    let at0_0_0 = min(line0_0_0, uniforms.rows - 1u) * pitch + (column0 + subgroupColumn) / 4u + 0u + (lane & 3u);
    
    
    
    let line0_0_1 = row0 + subgroupRow + 8u + (lane >> 2u);
    let at0_0_1 = min(line0_0_1, uniforms.rows - 1u) * pitch + (column0 + subgroupColumn) / 4u + 0u + (lane & 3u);
    
    
    
    let line0_1_0 = row0 + subgroupRow + 0u + (lane >> 2u);
    let at0_1_0 = min(line0_1_0, uniforms.rows - 1u) * pitch + (column0 + subgroupColumn) / 4u + 4u + (lane & 3u);
    
    
    
    let line0_1_1 = row0 + subgroupRow + 8u + (lane >> 2u);
    let at0_1_1 = min(line0_1_1, uniforms.rows - 1u) * pitch + (column0 + subgroupColumn) / 4u + 4u + (lane & 3u);
    
    
    
    {
    
    subgroupMatrixStore<row_major>(&left, scratch0, sum0_0, 4u);
    workgroupBarrier();
    var value0 = bitcast<vec4f>(left[scratch0 + lane + 0u]); var value1 = bitcast<vec4f>(left[scratch0 + lane + 32u]);
    workgroupBarrier();
    
    
    
    
    
    
    
    if (line0_0_0 < uniforms.rows) { product[at0_0_0] = value0; }
    
    
    
    
    if (line0_0_1 < uniforms.rows) { product[at0_0_1] = value1; }
  }
  let line1_0_0 = row0 + subgroupRow + 16u + (lane >> 2u);
    let at1_0_0 = min(line1_0_0, uniforms.rows - 1u) * pitch + (column0 + subgroupColumn) / 4u + 0u + (lane & 3u);
    
    
    
    let line1_0_1 = row0 + subgroupRow + 24u + (lane >> 2u);
    let at1_0_1 = min(line1_0_1, uniforms.rows - 1u) * pitch + (column0 + subgroupColumn) / 4u + 0u + (lane & 3u);
    
    
    
    {
    
    subgroupMatrixStore<row_major>(&left, scratch0, sum0_1, 4u);
    workgroupBarrier();
    var value0 = bitcast<vec4f>(left[scratch0 + lane + 0u]); var value1 = bitcast<vec4f>(left[scratch0 + lane + 32u]);
    workgroupBarrier();
    
    
    
    
    
    
    
    if (line0_1_0 < uniforms.rows) { product[at0_1_0] = value0; }
    
    
    
    
    if (line0_1_1 < uniforms.rows) { product[at0_1_1] = value1; }
  }
  let line1_1_0 = row0 + subgroupRow + 16u + (lane >> 2u);
    let at1_1_0 = min(line1_1_0, uniforms.rows - 1u) * pitch + (column0 + subgroupColumn) / 4u + 4u + (lane & 3u);
    
    
    
    let line1_1_1 = row0 + subgroupRow + 24u + (lane >> 2u);
    let at1_1_1 = min(line1_1_1, uniforms.rows - 1u) * pitch + (column0 + subgroupColumn) / 4u + 4u + (lane & 3u);
    
    
    
    {
    
    subgroupMatrixStore<row_major>(&left, scratch0, sum1_0, 4u);
    workgroupBarrier();
    var value0 = bitcast<vec4f>(left[scratch0 + lane + 0u]); var value1 = bitcast<vec4f>(left[scratch0 + lane + 32u]);
    workgroupBarrier();
    
    
    
    
    
    
    
    if (line1_0_0 < uniforms.rows) { product[at1_0_0] = value0; }
    
    
    
    
    if (line1_0_1 < uniforms.rows) { product[at1_0_1] = value1; }
  }
  
    {
    
    subgroupMatrixStore<row_major>(&left, scratch0, sum1_1, 4u);
    workgroupBarrier();
    var value0 = bitcast<vec4f>(left[scratch0 + lane + 0u]); var value1 = bitcast<vec4f>(left[scratch0 + lane + 32u]);
    workgroupBarrier();
    
    
    
    
    
    
    
    if (line1_1_0 < uniforms.rows) { product[at1_1_0] = value0; }
    
    
    
    
    if (line1_1_1 < uniforms.rows) { product[at1_1_1] = value1; }
  }
  
  }
}
