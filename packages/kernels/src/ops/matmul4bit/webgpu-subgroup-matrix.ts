import { PHILOX } from '../../webgpu/philox';
import { FRAGMENT, LANES, MATRIX_EXTENSIONS, MATRIX_TYPES, SLOPE_SCALE, times } from '../../webgpu/subgroup-matrix';
import { ADDITION_FIELDS, additionDeclarations, type AdditionConstants } from '../../webgpu/product-additions';

/** What a product's shader on subgroup matrices bakes in. */
export type MatrixTile = Readonly<{
  /** Rows and columns of the product a workgroup computes, and the depth it takes at a time. */
  tileRows: number;
  tileColumns: number;
  tileDepth: number;
  /** Subgroups of a workgroup, over the rows and over the columns of its tile. */
  subgroupRows: number;
  subgroupColumns: number;
}>;

export type MatrixConstants = MatrixTile &
  Readonly<{
    transposed: boolean;
    nested: boolean;
    bias: boolean;
    /** Workgroups that share a tile's depth: more than one writes partial products [splits, rows, columns]. */
    split: boolean;
    /** log2 of the nested block size, 0 where absmax is float32. */
    nestedShift: number;
    blockShift: number;
  }> &
  AdditionConstants;

export const threadsOf = (tile: MatrixTile): number => LANES * tile.subgroupRows * tile.subgroupColumns;

/** What x is multiplied by on its way to f16: the transposed product takes gradients. */
const scaleOfLeft = (transposed: boolean): number => (transposed ? SLOPE_SCALE : 1);

/** Bytes of workgroup memory that the shader declares. */
export function workgroupBytes(tile: MatrixTile & { readonly transposed: boolean }): number {
  const left = tile.tileRows * (tile.tileDepth + 8) * 2;
  const right = tile.transposed
    ? tile.tileDepth * (tile.tileColumns + 8) * 2
    : tile.tileColumns * (tile.tileDepth + 8) * 2;
  return left + right + 1024 + tile.subgroupRows * tile.subgroupColumns * 1024;
}

/**
 * x·Wᵀ + bias or x·W on 16 x 16 x 16 subgroup matrices, f16 factors and f32 sums. Both tiles pass through workgroup
 * memory as f16, 16 bytes at a time; rows are 16 bytes longer than needed, which spreads eight of them over all banks.
 * W is dequantised on its way there, its 16 values shuffled between the lanes of a subgroup. What the next step of the depth needs is read while this one multiplies.
 *
 * On an H200, in TFLOP/s at 2048 x 4096 x 1024 and 384 x 3072 x 1024: tiles of 128 x 128 x 64 by 2 x 4 subgroups 132
 * and 73. Beside them, pairs of values from a table in workgroup memory 128 and 67 at a larger error, 2 x 2 subgroups
 * 111 and 62, depth 32 117 and 67, 128 x 256 x 32 143 but 43, 64 x 64 x 64 99 and 64; all are in
 * bench/results/matmul4bit-tiles.json.
 *
 * Needs rows of W of whole tiles: columns % tileColumns == 0 and depth % (tileDepth * splits) == 0. Any number of rows:
 * the last tile reads the last row again and goes out through workgroup memory, value by value, so no access leaves
 * its tensor even where a device does not check bounds.
 */
export function subgroupMatrixProduct(constants: MatrixConstants): string {
  const { tileRows, tileColumns, tileDepth, subgroupRows, subgroupColumns } = constants;
  const { transposed, nested, bias, split, blockShift, nestedShift } = constants;
  const { rank, innerParts, masked, slope, residual, dropout } = constants;
  // What lanes have to see value by value goes through workgroup memory.
  const byValue = masked || slope !== 'linear' || residual || dropout;
  const threads = threadsOf(constants);
  const leftScale = scaleOfLeft(transposed);
  const fragmentRows = tileRows / subgroupRows / FRAGMENT;
  const fragmentColumns = tileColumns / subgroupColumns / FRAGMENT;
  const fragments = times(fragmentRows, (i) => times(fragmentColumns, (j) => [i, j] as const)).flat();
  // In units of 16 bytes, eight f16.
  const leftPitch = tileDepth / 8 + 1;
  const rightPitch = (transposed ? tileColumns : tileDepth) / 8 + 1;
  const rightRows = transposed ? tileDepth : tileColumns;
  const rightRun = transposed ? tileColumns : tileDepth;
  const leftUnits = (tileRows * tileDepth) / 8 / threads;
  const wordsPerThread = (tileColumns * tileDepth) / 8 / threads;
  const words = Math.min(4, wordsPerThread);
  const rightUnits = wordsPerThread / words;
  const unitsPerRun = rightRun / 8 / words;
  const wordType = words === 1 ? 'u32' : `vec${words}<u32>`;
  let binding = 4;
  const next = () => binding++;
  const scaleBindings = nested
    ? `@group(0) @binding(${next()}) var<storage, read> absmax: array<u32>;
@group(0) @binding(${next()}) var<storage, read> nestedAbsmax: array<f32>;
@group(0) @binding(${next()}) var<storage, read> nestedCode: array<f32>;
@group(0) @binding(${next()}) var<storage, read> nestedOffset: array<f32>;
var<workgroup> absmaxLevels: array<f32, 256>;`
    : `@group(0) @binding(${next()}) var<storage, read> absmax: array<f32>;`;

  const loadNext = /* wgsl */ `
    ${times(leftUnits, (u) => `leftLow${u} = x[leftAt${u} + depth0 / 4u]; leftHigh${u} = x[leftAt${u} + depth0 / 4u + 1u];`).join('\n    ')}
    ${times(
      rightUnits,
      (u) => /* wgsl */ `{
      let element = rightAt${u} + ${transposed ? 'depth0 * uniforms.weightRow' : 'depth0'};
      codes${u} = packed[element / ${8 * words}u];
      let block = element >> ${blockShift}u;
      ${
        nested
          ? `scaleWord${u} = (absmax[block >> 2u] >> ((block & 3u) * 8u)) & 255u; scale${u} = nestedAbsmax[block >> ${nestedShift}u];`
          : `scale${u} = absmax[block];`
      }
    }`,
    ).join('\n    ')}`;

  const word = (u: number, w: number) => (words === 1 ? `codes${u}` : `codes${u}[${w}]`);
  const store = /* wgsl */ `
    ${times(leftUnits, (u) => `left[leftTo${u}] = vec4u(packLeft(leftLow${u}.xy), packLeft(leftLow${u}.zw), packLeft(leftHigh${u}.xy), packLeft(leftHigh${u}.zw));`).join('\n    ')}
    ${times(
      rightUnits,
      (u) => /* wgsl */ `{
      ${nested ? `let scale = fma(absmaxLevels[scaleWord${u}], scale${u}, offset);` : `let scale = scale${u};`}
      ${times(words, (w) => `right[rightTo${u} + ${w}u] = dequantize(${word(u, w)}, scale, level);`).join('\n      ')}
    }`,
    ).join('\n    ')}`;

  const dequantize = /* wgsl */ `
fn two(word: u32, at: u32, scale: f32, level: f32) -> u32 {
  return pack(vec2f(subgroupShuffle(level, (word >> (at + 4u)) & 15u), subgroupShuffle(level, (word >> at) & 15u)) * scale);
}
fn dequantize(word: u32, scale: f32, level: f32) -> vec4u {
  return vec4u(two(word, 0u, scale, level), two(word, 8u, scale, level), two(word, 16u, scale, level), two(word, 24u, scale, level));
}`;

  const loadA = (i: number, d: number): string =>
    `subgroupMatrixLoad<Left, row_major>(&left, (subgroupRow + ${i * FRAGMENT}u) * ${leftPitch}u + ${d * 2}u, ${leftPitch}u)`;
  const loadB = (j: number, d: number): string =>
    transposed
      ? `subgroupMatrixLoad<Right, row_major>(&right, ${d * FRAGMENT * rightPitch}u + (subgroupColumn + ${j * FRAGMENT}u) / 8u, ${rightPitch}u)`
      : `subgroupMatrixLoad<Right, col_major>(&right, (subgroupColumn + ${j * FRAGMENT}u) * ${rightPitch}u + ${d * 2}u, ${rightPitch}u)`;

  // LoRA's second product takes the place of one more step of the depth, padded with zeros to whole fragments.
  const rankFragments = Math.ceil(rank / FRAGMENT);
  const rankUnits = 2 * rankFragments;
  const loraTiles =
    rank === 0
      ? ''
      : /* wgsl */ `
  for (var u = thread; u < ${tileRows * rankUnits}u; u += ${threads}u) {
    let row = u / ${rankUnits}u;
    let at = (u % ${rankUnits}u) * 8u;
    var low = vec4f();
    var high = vec4f();
    if (at < ${rank}u) {
      let source = (min(row0 + row, uniforms.rows - 1u) * ${rank}u + at) / 4u;
      ${times(innerParts, (part) => `{ let at = source + ${part}u * uniforms.rows * ${rank / 4}u; low += inner[at]; high += inner[at + 1u]; }`).join('\n      ')}
    }
    left[row * ${leftPitch}u + at / 8u] = vec4u(packLeft(low.xy), packLeft(low.zw), packLeft(high.xy), packLeft(high.zw));
  }
  for (var u = thread; u < ${tileColumns * rankUnits}u; u += ${threads}u) {
    ${
      transposed
        ? /* wgsl */ `let step = u / ${tileColumns / 8}u;
    let at = (u % ${tileColumns / 8}u) * 8u;
    let source = (step * uniforms.columns + column0 + at) / 4u;
    let inside = step < ${rank}u;
    let to = step * ${rightPitch}u + at / 8u;`
        : /* wgsl */ `let column = u / ${rankUnits}u;
    let at = (u % ${rankUnits}u) * 8u;
    let source = ((column0 + column) * ${rank}u + at) / 4u;
    let inside = at < ${rank}u;
    let to = column * ${rightPitch}u + at / 8u;`
    }
    var low = vec4f();
    var high = vec4f();
    if (inside) {
      low = factor[source] * uniforms.factorScale;
      high = factor[source + 1u] * uniforms.factorScale;
    }
    right[to] = vec4u(pack(low.xy), pack(low.zw), pack(high.xy), pack(high.zw));
  }
  workgroupBarrier();`;
  const addLora = times(
    rankFragments,
    (d) => /* wgsl */ `{
    ${times(fragmentRows, (i) => `let a${i} = ${loadA(i, d)};`).join('\n    ')}
    ${times(fragmentColumns, (j) => `let b${j} = ${loadB(j, d)};`).join('\n    ')}
    ${fragments.map(([i, j]) => `sum${i}_${j} = subgroupMatrixMultiplyAccumulate(a${i}, b${j}, sum${i}_${j});`).join('\n    ')}
  }`,
  ).join('\n  ');
  const lanes = [0, 1] as const;
  /** A fragment through workgroup memory: eight neighbouring values a lane, with all that is done to single values. */
  const storeByValue = (i: number, j: number): string => /* wgsl */ `{
    subgroupMatrixStore<row_major>(&scratch, scratch0, sum${i}_${j}, 4u);
    workgroupBarrier();
    ${lanes.map((l) => `var value${l} = scratch[scratch0 + lane * 2u + ${l}u];`).join(' ')}
    workgroupBarrier();
    ${
      masked
        ? /* wgsl */ `var term: Sum;
    ${times(rankFragments, (d) => `term = subgroupMatrixMultiplyAccumulate(${loadA(i, d)}, ${loadB(j, d)}, term);`).join('\n    ')}
    subgroupMatrixStore<row_major>(&scratch, scratch0, term, 4u);
    workgroupBarrier();
    ${lanes.map((l) => `let term${l} = scratch[scratch0 + lane * 2u + ${l}u];`).join(' ')}
    workgroupBarrier();`
        : ''
    }
    let row = ${i * FRAGMENT}u + (lane >> 1u);
    if (row0 + subgroupRow + row < uniforms.rows) {
      let at0 = first + row * pitch + ${j * 4}u + (lane & 1u) * 2u;
      ${dropout ? 'let words = dropoutWords(random, at0 >> 1u, uniforms.site);' : ''}
      ${lanes
        .map(
          (l) => /* wgsl */ `{
        let at = at0 + ${l}u;
        ${masked ? `value${l} += select(vec4f(), term${l} * (uniforms.keepScale / ${leftScale}.0), keepsOf(at));` : ''}
        ${slope === 'linear' ? '' : `value${l} *= activationSlope(activated[at]);`}
        ${dropout ? `value${l} = select(vec4f(), value${l} * uniforms.dropoutScale, dropoutBits(words.${l === 0 ? 'xy' : 'zw'}) >= vec4u(uniforms.threshold));` : ''}
        ${residual ? `value${l} += residual[at];` : ''}
        product[at] = value${l};
      }`,
        )
        .join('\n      ')}
    }
  }
  `;

  return /* wgsl */ `
${MATRIX_EXTENSIONS}struct Uniforms {
  rows: u32, columns: u32, depth: u32,
  // Depth that one workgroup sums, and weights from one row of W to the next.
  share: u32, weightRow: u32,
  ${ADDITION_FIELDS}
}
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> packed: array<${wordType}>;
@group(0) @binding(2) var<storage, read> code: array<f32>;
@group(0) @binding(3) var<storage, read_write> product: array<vec4f>;
${scaleBindings}
${bias ? `@group(0) @binding(${next()}) var<storage, read> bias: array<f32>;` : ''}
${additionDeclarations(constants, next)}
@group(0) @binding(${next()}) var<uniform> uniforms: Uniforms;
${dropout ? PHILOX : ''}

${MATRIX_TYPES}// Eight f16 an element.
var<workgroup> left: array<vec4u, ${tileRows * leftPitch}>;
var<workgroup> right: array<vec4u, ${rightRows * rightPitch}>;
var<workgroup> scratch: array<vec4f, ${subgroupRows * subgroupColumns * 64}>;
fn packLeft(pair: vec2f) -> u32 { return pack(pair${leftScale === 1 ? '' : ` * ${leftScale}.0`}); }
${dequantize}

@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  let subgroup = thread / ${LANES}u;
  let lane = thread % ${LANES}u;
  let row0 = workgroup.y * ${tileRows}u;
  let column0 = workgroup.x * ${tileColumns}u;
  let subgroupRow = (subgroup / ${subgroupColumns}u) * ${fragmentRows * FRAGMENT}u;
  let subgroupColumn = (subgroup % ${subgroupColumns}u) * ${fragmentColumns * FRAGMENT}u;
  let scratch0 = subgroup * 64u;
  let level = code[lane & 15u];
  ${nested ? `for (var i = thread; i < 256u; i += ${threads}u) { absmaxLevels[i] = nestedCode[i]; }\n  let offset = nestedOffset[0];` : ''}
  ${fragments.map(([i, j]) => `var sum${i}_${j}: Sum;`).join(' ')}
  ${
    bias
      ? times(
          fragmentColumns,
          (j) => /* wgsl */ `
  for (var i = lane; i < 64u; i += ${LANES}u) {
    let at = column0 + subgroupColumn + ${j * FRAGMENT}u + (i & 3u) * 4u;
    scratch[scratch0 + i] = vec4f(bias[at], bias[at + 1u], bias[at + 2u], bias[at + 3u]);
  }
  workgroupBarrier();
  ${times(fragmentRows, (i) => `sum${i}_${j} = subgroupMatrixLoad<Sum, row_major>(&scratch, scratch0, 4u);`).join(' ')}
  workgroupBarrier();`,
        ).join('')
      : 'workgroupBarrier();'
  }
  ${times(
    leftUnits,
    (u) => /* wgsl */ `
  let leftUnit${u} = thread + ${u * threads}u;
  let leftTo${u} = (leftUnit${u} / ${tileDepth / 8}u) * ${leftPitch}u + leftUnit${u} % ${tileDepth / 8}u;
  let leftAt${u} = (min(row0 + leftUnit${u} / ${tileDepth / 8}u, uniforms.rows - 1u) * uniforms.depth + (leftUnit${u} % ${tileDepth / 8}u) * 8u) / 4u;
  var leftLow${u}: vec4f; var leftHigh${u}: vec4f;`,
  ).join('')}
  ${times(
    rightUnits,
    (u) => /* wgsl */ `
  let rightUnit${u} = thread + ${u * threads}u;
  let rightLine${u} = rightUnit${u} / ${unitsPerRun}u;
  let rightStep${u} = rightUnit${u} % ${unitsPerRun}u;
  let rightTo${u} = rightLine${u} * ${rightPitch}u + rightStep${u} * ${words}u;
  let rightAt${u} = ${transposed ? `rightLine${u} * uniforms.weightRow + column0` : `(column0 + rightLine${u}) * uniforms.weightRow`} + rightStep${u} * ${8 * words}u;
  var codes${u}: ${wordType}; var scale${u}: f32; ${nested ? `var scaleWord${u}: u32;` : ''}`,
  ).join('')}
  let start = workgroup.z * uniforms.share;
  let end = start + uniforms.share;
  var depth0 = start;
  ${loadNext}
  loop {
    ${store}
    workgroupBarrier();
    depth0 += ${tileDepth}u;
    if (depth0 < end) {
      ${loadNext}
    }
    ${times(
      tileDepth / FRAGMENT,
      (d) => /* wgsl */ `{
      ${times(fragmentRows, (i) => `let a${i} = ${loadA(i, d)};`).join('\n      ')}
      ${times(fragmentColumns, (j) => `let b${j} = ${loadB(j, d)};`).join('\n      ')}
      ${fragments.map(([i, j]) => `sum${i}_${j} = subgroupMatrixMultiplyAccumulate(a${i}, b${j}, sum${i}_${j});`).join('\n      ')}
    }`,
    ).join('\n    ')}
    workgroupBarrier();
    if (depth0 >= end) { break; }
  }
  ${loraTiles}
  ${rank > 0 && !masked ? addLora : ''}
  ${leftScale === 1 ? '' : fragments.map(([i, j]) => `sum${i}_${j} = subgroupMatrixScalarMultiply(sum${i}_${j}, ${1 / leftScale}f);`).join(' ')}
  let pitch = uniforms.columns / 4u;
  let first = (row0 + subgroupRow) * pitch + (column0 + subgroupColumn) / 4u${split ? ' + workgroup.z * uniforms.rows * pitch' : ''};
  ${
    byValue
      ? fragments.map(([i, j]) => storeByValue(i, j)).join('')
      : /* wgsl */ `if (row0 + ${tileRows}u <= uniforms.rows) {
    ${fragments.map(([i, j]) => `subgroupMatrixStore<row_major>(&product, first + ${i * FRAGMENT}u * pitch + ${j * 4}u, sum${i}_${j}, pitch);`).join('\n    ')}
  } else {
    ${fragments.map(([i, j]) => storeByValue(i, j)).join('')}
  }`
  }
}`;
}
