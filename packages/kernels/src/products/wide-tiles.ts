import { ABSMAX_UNIFORMS, absmaxBuffers, absmaxFunction, NIBBLE } from '../four-bit/wgsl';
import { layout } from '../webgpu/layout';
import { times } from '../webgpu/subgroup-matrix';

/** Depth of the tiles in workgroup memory: two words of codes. */
export const WIDE_TILE_DEPTH = 16;

/** How a workgroup takes a product apart. */
export type WideTile = Readonly<{
  /** Rows and columns of the product that a workgroup sums. */
  tileRows: number;
  tileColumns: number;
  /** Rows and columns that a thread of it sums; multiples of 4. */
  rowsPerThread: number;
  columnsPerThread: number;
}>;

/** What the shader bakes in. */
export type WideTileConstants = WideTile & Readonly<{ transposed: boolean; nested: boolean }>;

/** Threads of a workgroup. */
const wideTileThreads = (tile: WideTile): number =>
  (tile.tileRows / tile.rowsPerThread) * (tile.tileColumns / tile.columnsPerThread);

/** What the shader is given. */
export function wideTileLayout(nested: boolean) {
  return layout({
    uniforms: {
      ...{ rows: 'u32', columns: 'u32', depth: 'u32' },
      // Depth that one workgroup sums, and weights from one row of W to the next.
      ...{ share: 'u32', weightRow: 'u32' },
      ...ABSMAX_UNIFORMS,
    } as const,
    buffers: {
      x: 'read array<vec4f>',
      packed: 'read array<u32>',
      code: 'read array<f32>',
      product: 'write array<vec4f>',
      ...absmaxBuffers(nested ? 'nested' : 'plain'),
    },
  });
}

/**
 * x·Wᵀ or x·W in plain WGSL: float32 throughout, no feature asked for, and workgroup memory and bindings within what
 * every device of WebGPU has. A thread keeps 4 x 8 or 8 x 8 sums in registers, so that a step of the depth reads three or
 * four vec4 from workgroup memory for 32 or 64 products. x is turned on its way there, four rows by four steps a thread; W
 * is dequantised on its way, a word a thread. What the next step needs is read while this one multiplies. Partial products
 * [splits, rows, columns] where the depth is shared, which keeps a large GPU busy on the few rows of a small batch.
 *
 * Rows of x and columns beyond the last are read again and not written. Needs columns % 4 == 0, rows of W of whole words,
 * and shares of the depth of whole tiles.
 *
 * @param declarations WGSL of `wideTileLayout`
 */
export function wideTileProduct(constants: WideTileConstants, declarations: string): string {
  const { tileRows, tileColumns, rowsPerThread, columnsPerThread, transposed, nested } = constants;
  const threads = wideTileThreads(constants);
  const threadColumns = tileColumns / columnsPerThread;
  const threadRows = tileRows / rowsPerThread;
  const quadsDown = rowsPerThread / 4;
  const quadsAcross = columnsPerThread / 4;
  const leftPitch = tileRows / 4 + 1;
  const rightPitch = tileColumns / 4 + 1;
  const depthQuads = WIDE_TILE_DEPTH / 4;
  // Blocks of four rows by four steps, one a thread; the threads beyond have none.
  const leftThreads = (tileRows / 4) * depthQuads;
  const left = (text: string): string => (leftThreads < threads ? `if (thread < ${leftThreads}u) { ${text} }` : text);
  const words = (tileColumns * WIDE_TILE_DEPTH) / 8 / threads;
  const wordStep = threads / (transposed ? tileColumns / 8 : 2);
  const sums = times(rowsPerThread, (i) => times(quadsAcross, (j) => ({ i, j, name: `sum${i}_${j}` }))).flat();
  const read = (depth: string): string => `
    ${left(times(4, (i) => `x${i} = x[leftRow${i} + ${depth} / 4u + leftQuad];`).join(' '))}
    ${times(
      words,
      (w) => `{
      let element = ${transposed ? `(${depth} + rightLine + ${w * wordStep}u) * uniforms.weightRow + rightColumn` : `rightRow${w} + ${depth} + rightStep`};
      word${w} = packed[element >> 3u];
      scale${w} = absmaxOf(element >> uniforms.blockShift);
    }`,
    ).join('\n    ')}`;
  const write = `
    ${left(times(4, (k) => `left[(leftQuad * 4u + ${k}u) * ${leftPitch}u + leftLine] = vec4f(${times(4, (i) => `x${i}[${k}]`).join(', ')});`).join(' '))}
    ${times(words, (w) =>
      transposed
        ? `{
      let to = (rightLine + ${w * wordStep}u) * ${rightPitch}u + (thread % ${tileColumns / 8}u) * 2u;
      right[to] = weights(word${w}, 0u) * scale${w};
      right[to + 1u] = weights(word${w}, 4u) * scale${w};
    }`
        : `{
      let column = rightLine + ${w * wordStep}u;
      let low = weights(word${w}, 0u) * scale${w};
      let high = weights(word${w}, 4u) * scale${w};
      ${times(4, (e) => `right[(rightStep + ${e}u) * ${rightPitch}u + (column >> 2u)][column & 3u] = low[${e}];`).join(' ')}
      ${times(4, (e) => `right[(rightStep + ${e + 4}u) * ${rightPitch}u + (column >> 2u)][column & 3u] = high[${e}];`).join(' ')}
    }`,
    ).join('\n    ')}`;
  return /* wgsl */ `
${declarations}
${absmaxFunction(nested)}
// [depth][row / 4] and [depth][column / 4], a row one vec4 longer than needed, which spreads them over all banks.
var<workgroup> left: array<vec4f, ${WIDE_TILE_DEPTH * leftPitch}>;
var<workgroup> right: array<vec4f, ${WIDE_TILE_DEPTH * rightPitch}>;
var<workgroup> levels: array<f32, 16>;
${NIBBLE}
fn weights(word: u32, first: u32) -> vec4f {
  return vec4f(${times(4, (e) => `levels[nibble(word, first + ${e}u)]`).join(', ')});
}

@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  let row0 = workgroup.y * ${tileRows}u;
  let column0 = workgroup.x * ${tileColumns}u;
  let threadRow = thread / ${threadColumns}u;
  let threadColumn = thread % ${threadColumns}u;
  let leftQuad = thread % ${depthQuads}u;
  let leftLine = thread / ${depthQuads}u;
  ${times(4, (i) => `let leftRow${i} = min(row0 + leftLine * 4u + ${i}u, uniforms.rows - 1u) * (uniforms.depth / 4u); var x${i}: vec4f;`).join('\n  ')}
  ${
    transposed
      ? `let rightLine = thread / ${tileColumns / 8}u;
  let rightColumn = min(column0 + (thread % ${tileColumns / 8}u) * 8u, uniforms.columns - 8u);`
      : `let rightLine = thread / 2u;
  let rightStep = (thread % 2u) * 8u;
  ${times(words, (w) => `let rightRow${w} = min(column0 + rightLine + ${w * wordStep}u, uniforms.columns - 1u) * uniforms.weightRow;`).join('\n  ')}`
  }
  ${times(words, (w) => `var word${w}: u32; var scale${w}: f32;`).join(' ')}
  ${sums.map(({ name }) => `var ${name}: vec4f;`).join(' ')}
  if (thread < 16u) { levels[thread] = code[thread]; }
  workgroupBarrier();
  var depth0 = workgroup.z * uniforms.share;
  let end = depth0 + uniforms.share;
  ${read('depth0')}
  loop {
    ${write}
    workgroupBarrier();
    depth0 += ${WIDE_TILE_DEPTH}u;
    if (depth0 < end) {
      ${read('depth0')}
    }
    for (var d = 0u; d < ${WIDE_TILE_DEPTH}u; d++) {
      ${times(quadsDown, (i) => `let a${i} = left[d * ${leftPitch}u + threadRow + ${i * threadRows}u];`).join(' ')}
      ${times(quadsAcross, (j) => `let b${j} = right[d * ${rightPitch}u + threadColumn + ${j * threadColumns}u];`).join(' ')}
      ${sums.map(({ i, j, name }) => `${name} = fma(vec4f(a${i >> 2}[${i & 3}]), b${j}, ${name});`).join('\n      ')}
    }
    workgroupBarrier();
    if (depth0 >= end) { break; }
  }
  let columns = uniforms.columns / 4u;
  let first = workgroup.z * uniforms.rows * columns;
  ${sums
    .map(
      ({ i, j, name }) =>
        `store(row0 + (threadRow + ${(i >> 2) * threadRows}u) * 4u + ${i & 3}u, column0 / 4u + threadColumn + ${j * threadColumns}u, first, ${name});`,
    )
    .join('\n  ')}
}

fn store(row: u32, column: u32, first: u32, sum: vec4f) {
  if (row < uniforms.rows && column < uniforms.columns / 4u) {
    product[first + row * (uniforms.columns / 4u) + column] = sum;
  }
}`;
}
