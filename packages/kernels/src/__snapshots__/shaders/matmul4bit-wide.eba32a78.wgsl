// matmul4bit wide {"tileRows":64,"tileColumns":64,"rowsPerThread":4,"columnsPerThread":8,"transposed":true,"nested":true}

struct Uniforms { rows: u32, columns: u32, depth: u32, share: u32, weightRow: u32, blockShift: u32, nestedBlocksize: u32, zero: u32 }
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> packed: array<u32>;
@group(0) @binding(2) var<storage, read> code: array<f32>;
@group(0) @binding(3) var<storage, read_write> product: array<vec4f>;
@group(0) @binding(4) var<storage, read> absmax: array<u32>;
@group(0) @binding(5) var<storage, read> nestedAbsmax: array<f32>;
@group(0) @binding(6) var<storage, read> nestedCode: array<f32>;
@group(0) @binding(7) var<storage, read> nestedOffset: array<f32>;
@group(0) @binding(8) var<uniform> uniforms: Uniforms;

fn absmaxOf(block: u32) -> f32 {
  let code = (absmax[block >> 2u] >> ((block & 3u) * 8u)) & 255u;
  let centred = nestedCode[code] * nestedAbsmax[block / uniforms.nestedBlocksize];
  return bitcast<f32>(bitcast<u32>(centred) ^ uniforms.zero) + nestedOffset[0];
}

// [depth][row / 4] and [depth][column / 4], a row one vec4 longer than needed, which spreads them over all banks.
var<workgroup> left: array<vec4f, 272>;
var<workgroup> right: array<vec4f, 272>;
var<workgroup> levels: array<f32, 16>;

fn nibble(word: u32, element: u32) -> u32 {
  return (word >> ((element >> 1u) * 8u + 4u - (element & 1u) * 4u)) & 15u;
}

fn weights(word: u32, first: u32) -> vec4f {
  return vec4f(levels[nibble(word, first + 0u)], levels[nibble(word, first + 1u)], levels[nibble(word, first + 2u)], levels[nibble(word, first + 3u)]);
}

@compute @workgroup_size(128)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  let row0 = workgroup.y * 64u;
  let column0 = workgroup.x * 64u;
  let threadRow = thread / 8u;
  let threadColumn = thread % 8u;
  let leftQuad = thread % 4u;
  let leftLine = thread / 4u;
  let leftRow0 = min(row0 + leftLine * 4u + 0u, uniforms.rows - 1u) * (uniforms.depth / 4u); var x0: vec4f;
  let leftRow1 = min(row0 + leftLine * 4u + 1u, uniforms.rows - 1u) * (uniforms.depth / 4u); var x1: vec4f;
  let leftRow2 = min(row0 + leftLine * 4u + 2u, uniforms.rows - 1u) * (uniforms.depth / 4u); var x2: vec4f;
  let leftRow3 = min(row0 + leftLine * 4u + 3u, uniforms.rows - 1u) * (uniforms.depth / 4u); var x3: vec4f;
  let rightLine = thread / 8u;
  let rightColumn = min(column0 + (thread % 8u) * 8u, uniforms.columns - 8u);
  var word0: u32; var scale0: f32;
  var sum0_0: vec4f; var sum0_1: vec4f; var sum1_0: vec4f; var sum1_1: vec4f; var sum2_0: vec4f; var sum2_1: vec4f; var sum3_0: vec4f; var sum3_1: vec4f;
  if (thread < 16u) { levels[thread] = code[thread]; }
  workgroupBarrier();
  var depth0 = workgroup.z * uniforms.share;
  let end = depth0 + uniforms.share;
  
    if (thread < 64u) { x0 = x[leftRow0 + depth0 / 4u + leftQuad]; x1 = x[leftRow1 + depth0 / 4u + leftQuad]; x2 = x[leftRow2 + depth0 / 4u + leftQuad]; x3 = x[leftRow3 + depth0 / 4u + leftQuad]; }
    {
      let element = (depth0 + rightLine + 0u) * uniforms.weightRow + rightColumn;
      word0 = packed[element >> 3u];
      scale0 = absmaxOf(element >> uniforms.blockShift);
    }
  loop {
    
    if (thread < 64u) { left[(leftQuad * 4u + 0u) * 17u + leftLine] = vec4f(x0[0], x1[0], x2[0], x3[0]); left[(leftQuad * 4u + 1u) * 17u + leftLine] = vec4f(x0[1], x1[1], x2[1], x3[1]); left[(leftQuad * 4u + 2u) * 17u + leftLine] = vec4f(x0[2], x1[2], x2[2], x3[2]); left[(leftQuad * 4u + 3u) * 17u + leftLine] = vec4f(x0[3], x1[3], x2[3], x3[3]); }
    {
      let to = (rightLine + 0u) * 17u + (thread % 8u) * 2u;
      right[to] = weights(word0, 0u) * scale0;
      right[to + 1u] = weights(word0, 4u) * scale0;
    }
    workgroupBarrier();
    depth0 += 16u;
    if (depth0 < end) {
      
    if (thread < 64u) { x0 = x[leftRow0 + depth0 / 4u + leftQuad]; x1 = x[leftRow1 + depth0 / 4u + leftQuad]; x2 = x[leftRow2 + depth0 / 4u + leftQuad]; x3 = x[leftRow3 + depth0 / 4u + leftQuad]; }
    {
      let element = (depth0 + rightLine + 0u) * uniforms.weightRow + rightColumn;
      word0 = packed[element >> 3u];
      scale0 = absmaxOf(element >> uniforms.blockShift);
    }
    }
    for (var d = 0u; d < 16u; d++) {
      let a0 = left[d * 17u + threadRow + 0u];
      let b0 = right[d * 17u + threadColumn + 0u]; let b1 = right[d * 17u + threadColumn + 8u];
      sum0_0 = fma(vec4f(a0[0]), b0, sum0_0);
      sum0_1 = fma(vec4f(a0[0]), b1, sum0_1);
      sum1_0 = fma(vec4f(a0[1]), b0, sum1_0);
      sum1_1 = fma(vec4f(a0[1]), b1, sum1_1);
      sum2_0 = fma(vec4f(a0[2]), b0, sum2_0);
      sum2_1 = fma(vec4f(a0[2]), b1, sum2_1);
      sum3_0 = fma(vec4f(a0[3]), b0, sum3_0);
      sum3_1 = fma(vec4f(a0[3]), b1, sum3_1);
    }
    workgroupBarrier();
    if (depth0 >= end) { break; }
  }
  let columns = uniforms.columns / 4u;
  let first = workgroup.z * uniforms.rows * columns;
  store(row0 + (threadRow + 0u) * 4u + 0u, column0 / 4u + threadColumn + 0u, first, sum0_0);
  store(row0 + (threadRow + 0u) * 4u + 0u, column0 / 4u + threadColumn + 8u, first, sum0_1);
  store(row0 + (threadRow + 0u) * 4u + 1u, column0 / 4u + threadColumn + 0u, first, sum1_0);
  store(row0 + (threadRow + 0u) * 4u + 1u, column0 / 4u + threadColumn + 8u, first, sum1_1);
  store(row0 + (threadRow + 0u) * 4u + 2u, column0 / 4u + threadColumn + 0u, first, sum2_0);
  store(row0 + (threadRow + 0u) * 4u + 2u, column0 / 4u + threadColumn + 8u, first, sum2_1);
  store(row0 + (threadRow + 0u) * 4u + 3u, column0 / 4u + threadColumn + 0u, first, sum3_0);
  store(row0 + (threadRow + 0u) * 4u + 3u, column0 / 4u + threadColumn + 8u, first, sum3_1);
}

fn store(row: u32, column: u32, first: u32, sum: vec4f) {
  if (row < uniforms.rows && column < uniforms.columns / 4u) {
    product[first + row * (uniforms.columns / 4u) + column] = sum;
  }
}
