import { DROPOUT } from '../webgpu/philox';
import { FRAGMENT, LANES, MATRIX_EXTENSIONS, MATRIX_TYPES, PAIRS, times } from '../webgpu/subgroup-matrix';
import { layout } from '../webgpu/layout';
import { absmaxBuffers } from '../four-bit/wgsl';
import { ADDITION_UNIFORMS, additionBuffers, additionFunctions, type AdditionConstants } from './additions';
import { loraStep, multiplyFragments, storeByValue } from './matrix-epilogue';
import {
  codesType,
  leftLoader,
  rightLoader,
  SCRATCH,
  scaleOfLeft,
  tileLayout,
  threadsOf,
  type TileFactors,
} from './matrix-tiles';

/** What a product's shader on subgroup matrices bakes in. */
export type MatrixConstants = TileFactors &
  Readonly<{
    bias: boolean;
    /** Workgroups that share a tile's depth: more than one writes partial products [splits, rows, columns]. */
    split: boolean;
  }> &
  AdditionConstants;

/** WGSL of 16 values as 8 pairs of f16, looked up among the lanes of a subgroup. */
export const DEQUANTIZE = /* wgsl */ `
fn two(word: u32, at: u32, scale: f32, level: f32) -> u32 {
  return pack(vec2f(subgroupShuffle(level, (word >> (at + 4u)) & 15u), subgroupShuffle(level, (word >> at) & 15u)) * scale);
}
fn dequantize(word: u32, scale: f32, level: f32) -> vec4u {
  return vec4u(two(word, 0u, scale, level), two(word, 8u, scale, level), two(word, 16u, scale, level), two(word, 24u, scale, level));
}`;

/**
 * x·Wᵀ + bias or x·W on 16 x 16 x 16 subgroup matrices, f16 factors and f32 sums. Both tiles pass through workgroup
 * memory as f16. W is dequantised on its way there, its 16 values shuffled between the lanes of a subgroup, or comes
 * dequantised where many rows of tiles would do it again. What the next step of the depth needs is read while this one
 * multiplies, every read before the first use of one.
 *
 * On an H200, in TFLOP/s at 384 x 3072 x 1024, 2048 x 4096 x 1024 and 8192 x 4096 x 1024, x in float16: tiles of 128 x
 * 128 x 64 by 2 x 4 subgroups 85, 167 and 185. Two buffers of half the depth, so that tiles are written while the step
 * before multiplies, reached half of that over 28 shapes; reading two steps ahead changed nothing.
 *
 * Needs rows of W of whole tiles: columns % tileColumns == 0 and depth % (tileDepth * splits) == 0. Any number of rows:
 * the last tile reads the last row again and goes out through workgroup memory, value by value, so no access leaves
 * its tensor even where a device does not check bounds.
 */
export function subgroupMatrixProduct(constants: MatrixConstants) {
  const { tileRows, tileColumns, tileDepth, subgroupRows, subgroupColumns } = constants;
  const { transposed, left, right, nested, bias, split } = constants;
  const { rank, masked, slope, residual, dropout } = constants;
  // What lanes have to see value by value goes through workgroup memory.
  const byValue = masked || slope !== 'linear' || residual || dropout;
  const threads = threadsOf(constants);
  const leftScale = scaleOfLeft(transposed);
  const fragmentRows = tileRows / subgroupRows / FRAGMENT;
  const fragmentColumns = tileColumns / subgroupColumns / FRAGMENT;
  const fragments = times(fragmentRows, (i) => times(fragmentColumns, (j) => [i, j] as const)).flat();
  const { leftSize, rightSize, scratchSize } = tileLayout(constants);
  const leftTile = leftLoader(constants);
  const rightTile = rightLoader(constants);
  const codes = right === 'codes';
  const io = layout({
    uniforms: {
      ...{ rows: 'u32', columns: 'u32', depth: 'u32' },
      // Depth that one workgroup sums, and weights from one row of W to the next.
      ...{ share: 'u32', weightRow: 'u32' },
      ...ADDITION_UNIFORMS,
    } as const,
    buffers: {
      x: left === 'float32' ? 'read array<vec4f>' : 'read array<vec4u>',
      product: 'write array<vec4f>',
      weight: codes ? undefined : 'read array<vec4u>',
      packed: codes ? `read array<${codesType(constants)}>` : undefined,
      code: codes ? 'read array<f32>' : undefined,
      ...absmaxBuffers(!codes ? 'none' : nested ? 'nested' : 'plain'),
      bias: bias ? 'read array<vec4f>' : undefined,
      ...additionBuffers(constants),
    },
  });

  return {
    layout: io,
    code: /* wgsl */ `
${MATRIX_EXTENSIONS}
${io.wgsl}
${additionFunctions(constants)}
${dropout ? DROPOUT : ''}
${MATRIX_TYPES}${PAIRS}
// Eight f16 an element.
var<workgroup> left: array<vec4u, ${leftSize + scratchSize}>;
var<workgroup> right: array<vec4u, ${rightSize}>;
${codes ? DEQUANTIZE : ''}
${codes && nested ? 'var<workgroup> absmaxLevels: array<f32, 256>;' : ''}

@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  let subgroup = thread / ${LANES}u;
  let lane = thread % ${LANES}u;
  let odd = (lane & 1u) == 1u;
  let row0 = workgroup.y * ${tileRows}u;
  let column0 = workgroup.x * ${tileColumns}u;
  let subgroupRow = (subgroup / ${subgroupColumns}u) * ${fragmentRows * FRAGMENT}u;
  let subgroupColumn = (subgroup % ${subgroupColumns}u) * ${fragmentColumns * FRAGMENT}u;
  let scratch0 = ${leftSize}u + subgroup * ${SCRATCH}u;
  let start = workgroup.z * uniforms.share;
  let end = start + uniforms.share;
  var depth0 = start;
  ${leftTile.declare}
  ${rightTile.declare}
  ${leftTile.load}
  ${rightTile.load}
  ${codes ? 'let level = code[lane & 15u];' : ''}
  ${codes && nested ? `for (var i = thread; i < 256u; i += ${threads}u) { absmaxLevels[i] = nestedCode[i]; }\n  let offset = nestedOffset[0];` : ''}
  ${fragments.map(([i, j]) => `var sum${i}_${j}: Sum;`).join(' ')}
  ${
    bias
      ? /* wgsl */ `
  ${times(fragmentColumns, (j) => `let bias${j} = bitcast<vec4u>(bias[(column0 + subgroupColumn) / 4u + ${j * 4}u + (lane & 3u)]);`).join('\n  ')}
  ${times(
    fragmentColumns,
    (j) => /* wgsl */ `
  left[scratch0 + lane] = bias${j};
  left[scratch0 + lane + ${LANES}u] = bias${j};
  workgroupBarrier();
  ${times(fragmentRows, (i) => `sum${i}_${j} = subgroupMatrixLoad<Sum, row_major>(&left, scratch0, 4u);`).join(' ')}
  workgroupBarrier();`,
  ).join('')}`
      : 'workgroupBarrier();'
  }
  ${
    masked
      ? ''
      : // Before the loop, while its first tiles are on their way.
        `${loraStep(constants, fragments)}${rank > 0 ? 'workgroupBarrier();' : ''}`
  }
  loop {
    ${leftTile.store}
    ${rightTile.store}
    workgroupBarrier();
    depth0 += ${tileDepth}u;
    if (depth0 < end) {
      ${leftTile.load}
      ${rightTile.load}
    }
    ${times(tileDepth / FRAGMENT, (d) => multiplyFragments(constants, fragments, d)).join('\n    ')}
    workgroupBarrier();
    if (depth0 >= end) { break; }
  }
  ${masked ? loraStep(constants, fragments) : ''}
  ${leftScale === 1 ? '' : fragments.map(([i, j]) => `sum${i}_${j} = subgroupMatrixScalarMultiply(sum${i}_${j}, ${1 / leftScale}f);`).join(' ')}
  let pitch = uniforms.columns / 4u;
  ${
    byValue
      ? storeByValue(constants, fragments)
      : /* wgsl */ `if (row0 + ${tileRows}u <= uniforms.rows) {
    let first = (row0 + subgroupRow) * pitch + (column0 + subgroupColumn) / 4u${split ? ' + workgroup.z * uniforms.rows * pitch' : ''};
    ${fragments.map(([i, j]) => `subgroupMatrixStore<row_major>(&product, first + ${i * FRAGMENT}u * pitch + ${j * 4}u, sum${i}_${j}, pitch);`).join('\n    ')}
  } else {
    ${storeByValue(constants, fragments)}
  }`
  }
}`,
  };
}
