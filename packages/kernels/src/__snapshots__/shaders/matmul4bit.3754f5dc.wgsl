// matmul4bit {"nested":true,"bias":true,"words":true,"rowsPerThread":4,"columnsPerThread":4}

const THREADS = 256u;
const TILE_DEPTH = 16u;
const TILE_ROWS = 64u;
const TILE_COLUMNS = 64u;
const LEFT_PITCH = TILE_ROWS + 1u;
const RIGHT_PITCH = TILE_COLUMNS + 1u;
// [depth][row] and [depth][column].
var<workgroup> left: array<f32, LEFT_PITCH * TILE_DEPTH>;
var<workgroup> right: array<f32, RIGHT_PITCH * TILE_DEPTH>;

struct Uniforms { rows: u32, columns: u32, depth: u32, blockShift: u32, nestedBlocksize: u32, zero: u32, weightColumn: u32, weightDepth: u32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> packed: array<u32>;
@group(0) @binding(2) var<storage, read> code: array<f32>;
@group(0) @binding(3) var<storage, read_write> product: array<f32>;
@group(0) @binding(4) var<storage, read> absmax: array<u32>;
@group(0) @binding(5) var<storage, read> nestedAbsmax: array<f32>;
@group(0) @binding(6) var<storage, read> nestedCode: array<f32>;
@group(0) @binding(7) var<storage, read> nestedOffset: array<f32>;
@group(0) @binding(8) var<storage, read> bias: array<f32>;
@group(0) @binding(9) var<uniform> uniforms: Uniforms;

fn absmaxOf(block: u32) -> f32 {
  let code = (absmax[block >> 2u] >> ((block & 3u) * 8u)) & 255u;
  let centred = nestedCode[code] * nestedAbsmax[block / uniforms.nestedBlocksize];
  return bitcast<f32>(bitcast<u32>(centred) ^ uniforms.zero) + nestedOffset[0];
}

var<workgroup> levels: array<f32, 16>;

fn nibble(word: u32, element: u32) -> u32 {
  return (word >> ((element >> 1u) * 8u + 4u - (element & 1u) * 4u)) & 15u;
}

fn leftValue(row: u32, depth: u32) -> f32 {
  if (row >= uniforms.rows || depth >= uniforms.depth) { return 0.0; }
  return x[row * uniforms.depth + depth];
}
// Number of a weight in the flattened W.
fn elementOf(column: u32, depth: u32) -> u32 { return column * uniforms.weightColumn + depth * uniforms.weightDepth; }
fn rightValue(column: u32, depth: u32) -> f32 {
  if (column >= uniforms.columns || depth >= uniforms.depth) { return 0.0; }
  let element = elementOf(column, depth);
  return levels[nibble(packed[element >> 3u], element & 7u)] * absmaxOf(element >> uniforms.blockShift);
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row0 = workgroup.y * TILE_ROWS;
  let column0 = workgroup.x * TILE_COLUMNS;
  let threadRow = lane / 16u;
  let threadColumn = lane % 16u;
  if (lane < 16u) { levels[lane] = code[lane]; }
  workgroupBarrier();
  var sum00 = 0.0; var sum01 = 0.0; var sum02 = 0.0; var sum03 = 0.0; var sum10 = 0.0; var sum11 = 0.0; var sum12 = 0.0; var sum13 = 0.0; var sum20 = 0.0; var sum21 = 0.0; var sum22 = 0.0; var sum23 = 0.0; var sum30 = 0.0; var sum31 = 0.0; var sum32 = 0.0; var sum33 = 0.0;
  for (var depth0 = 0u; depth0 < uniforms.depth; depth0 += TILE_DEPTH) {
    for (var i = lane; i < TILE_ROWS * TILE_DEPTH; i += THREADS) {
      let side = select(i % TILE_ROWS, i / TILE_DEPTH, true);
      let depth = select(i / TILE_ROWS, i % TILE_DEPTH, true);
      left[depth * LEFT_PITCH + side] = leftValue(row0 + side, depth0 + depth);
    }
    for (var i = lane; i < TILE_COLUMNS * TILE_DEPTH / 8u; i += THREADS) {
      let alongDepth = uniforms.weightDepth == 1u;
      let side = select((i % (TILE_COLUMNS / 8u)) * 8u, i % TILE_COLUMNS, alongDepth);
      let depth = select(i / (TILE_COLUMNS / 8u), (i / TILE_COLUMNS) * 8u, alongDepth);
      let step = select(1u, RIGHT_PITCH, alongDepth);
      var word = 0u;
      var scale = 0.0;
      if (column0 + side < uniforms.columns && depth0 + depth < uniforms.depth) {
        let element = elementOf(column0 + side, depth0 + depth);
        word = packed[element >> 3u];
        scale = absmaxOf(element >> uniforms.blockShift);
      }
      for (var e = 0u; e < 8u; e++) {
        right[depth * RIGHT_PITCH + side + e * step] = levels[nibble(word, e)] * scale;
      }
    }
    workgroupBarrier();
    for (var d = 0u; d < TILE_DEPTH; d++) {
      let a0 = left[d * LEFT_PITCH + threadRow + 0u]; let a1 = left[d * LEFT_PITCH + threadRow + 16u]; let a2 = left[d * LEFT_PITCH + threadRow + 32u]; let a3 = left[d * LEFT_PITCH + threadRow + 48u];
      let b0 = right[d * RIGHT_PITCH + threadColumn + 0u]; let b1 = right[d * RIGHT_PITCH + threadColumn + 16u]; let b2 = right[d * RIGHT_PITCH + threadColumn + 32u]; let b3 = right[d * RIGHT_PITCH + threadColumn + 48u];
      sum00 += a0 * b0; sum01 += a0 * b1; sum02 += a0 * b2; sum03 += a0 * b3; sum10 += a1 * b0; sum11 += a1 * b1; sum12 += a1 * b2; sum13 += a1 * b3; sum20 += a2 * b0; sum21 += a2 * b1; sum22 += a2 * b2; sum23 += a2 * b3; sum30 += a3 * b0; sum31 += a3 * b1; sum32 += a3 * b2; sum33 += a3 * b3;
    }
    workgroupBarrier();
  }
  store(row0 + threadRow + 0u, column0 + threadColumn + 0u, sum00);
  store(row0 + threadRow + 0u, column0 + threadColumn + 16u, sum01);
  store(row0 + threadRow + 0u, column0 + threadColumn + 32u, sum02);
  store(row0 + threadRow + 0u, column0 + threadColumn + 48u, sum03);
  store(row0 + threadRow + 16u, column0 + threadColumn + 0u, sum10);
  store(row0 + threadRow + 16u, column0 + threadColumn + 16u, sum11);
  store(row0 + threadRow + 16u, column0 + threadColumn + 32u, sum12);
  store(row0 + threadRow + 16u, column0 + threadColumn + 48u, sum13);
  store(row0 + threadRow + 32u, column0 + threadColumn + 0u, sum20);
  store(row0 + threadRow + 32u, column0 + threadColumn + 16u, sum21);
  store(row0 + threadRow + 32u, column0 + threadColumn + 32u, sum22);
  store(row0 + threadRow + 32u, column0 + threadColumn + 48u, sum23);
  store(row0 + threadRow + 48u, column0 + threadColumn + 0u, sum30);
  store(row0 + threadRow + 48u, column0 + threadColumn + 16u, sum31);
  store(row0 + threadRow + 48u, column0 + threadColumn + 32u, sum32);
  store(row0 + threadRow + 48u, column0 + threadColumn + 48u, sum33);
}

fn store(row: u32, column: u32, value: f32) {
  if (row < uniforms.rows && column < uniforms.columns) {
    product[row * uniforms.columns + column] = value + bias[column];
  }
}
