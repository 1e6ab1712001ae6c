// Idea: x is read once: for LoRA's product, and to be packed for the product that follows; spare workgroups dequantise W.
// Cost: 4 bytes a value of x read, 2 written in float16, an eighth of a byte of keep bits, 2.5 bytes a weight; 2 r operations a value and a
// draw for 8.
// Measured: 35 us at 8,192 x 1,024, 113 with gelu at 8,192 x 4,096 on an H200, 1.5 and 1.8 TB/s beside W (bench/results/step.json, kernels, 64x128).

import { layout } from '../../webgpu/layout';
import { DROPOUT } from '../../webgpu/philox';
import { shaderVariants } from '../../webgpu/shader';
import {
  FRAGMENT,
  LANES,
  MATRIX_EXTENSIONS,
  MATRIX_TYPES,
  pairFirst,
  PAIRS,
  pairSecond,
  pairUnit,
  scaled,
  SLOPE_SCALE,
  times,
} from '../../webgpu/subgroup-matrix';
import { hasLoraMatrices } from './webgpu-matrices';
import { activationFunction } from '../../webgpu/activation';
import { halfWeightBuffers, halfWeightFunction, type HalfWeightConstants } from '../../products/half-weight';
import { innerBuffers, INNER_DROPOUT } from './inner-layout';
import type { InnerShaderConstants } from './types';

/** Subgroups of a workgroup. They share its rows and its depth. */
const SUBGROUPS = 8;
const THREADS = SUBGROUPS * LANES;
/** Columns of the depth that a subgroup multiplies between two barriers. */
const SUBGROUP_DEPTH = 2 * FRAGMENT;

/** Rows a workgroup multiplies, in fragments: the more, the less often the factor is read. */
export type InnerFragments = 1 | 2;

/** Depth between two barriers: with fewer rows, more of it. */
const tileDepth = (fragments: InnerFragments): number => (SUBGROUPS / fragments) * SUBGROUP_DEPTH;

/** Rows from which two fragments a workgroup leave a large GPU enough workgroups. */
const TALL_FROM = 1024;
/** Workgroups that keep a large GPU busy, by fragments. Parts cost those who sum them, so few rows get no more. */
const BUSY = { 1: 96, 2: 256 } as const;
/**
 * Longest share of the depth where rows are many. On an H200, 8192 x 4096 with gelu took 203 us in shares of 4096 and
 * 133 in shares of 512; 8192 x 1024 took 25 either way.
 */
const LONGEST_SHARE = 512;
const MOST_PARTS = 8;

export interface InnerVariant {
  readonly fragments: InnerFragments;
  /** Workgroups that share the depth; each leaves a sum of its own. */
  readonly parts: number;
  /** Depth of one of them. */
  readonly share: number;
}

/** Fragments and shares of the depth, where the device has subgroup matrices. */
export function chooseInnerVariant(
  device: GPUDevice,
  { rows, depth }: { readonly rows: number; readonly depth: number },
): InnerVariant | undefined {
  if (!hasLoraMatrices(device)) return undefined;
  const fragments = rows < TALL_FROM ? 1 : 2;
  const tiles = Math.ceil(rows / (FRAGMENT * fragments));
  const steps = Math.ceil(depth / tileDepth(fragments));
  const wanted = Math.max(BUSY[fragments] / tiles, fragments === 1 ? 1 : depth / LONGEST_SHARE);
  // Those who sum the parts bake their number in: powers of two keep the shaders few.
  const parts = 2 ** Math.floor(Math.log2(Math.max(1, Math.min(wanted, MOST_PARTS, steps))));
  const stepsAPart = Math.ceil(steps / parts);
  return { fragments, parts: Math.ceil(steps / stepsAPart), share: stepsAPart * tileDepth(fragments) };
}

export const innerRows = (fragments: InnerFragments): number => FRAGMENT * fragments;

export type MatrixInnerConstants = InnerShaderConstants &
  HalfWeightConstants &
  Readonly<{
    fragments: InnerFragments;
    /** Whether W is dequantised as well. */
    prepares: boolean;
  }>;

/** Ranks of the factor that a workgroup multiplies. */
export const INNER_RANKS = FRAGMENT;

/**
 * dropout(activation(x))·Aᵀ with few columns on subgroup matrices, f16 factors and f32 sums: tall products that read x once
 * and are bound by that. A workgroup's subgroups share its rows and the depth between two barriers, and add their sums
 * at the end; what the next barrier needs is read while this one multiplies. Eight neighbouring values a thread are one
 * draw of dropout and one store into f16. Workgroups behind the tiles dequantise W for the product that follows: a
 * dispatch of its own takes longer, and here it fills processors that few rows leave free.
 */
export const matrixInnerShader = shaderVariants(
  'lora inner matrix',
  ({ fragments, factorTransposed, activation, dropout, writes, half, prepares, ...weight }: MatrixInnerConstants) => {
    const rows = innerRows(fragments);
    const depth = tileDepth(fragments);
    const leftScale = factorTransposed ? SLOPE_SCALE : 1;
    // In vec4u, eight f16; one more a row spreads eight rows over all banks.
    const rowUnits = depth / 8;
    const pitch = rowUnits + 1;
    const factorUnits = factorTransposed ? INNER_RANKS / 8 : rowUnits;
    const factorPitch = factorUnits + 1;
    const leftRounds = (rows * rowUnits) / THREADS;
    const factorRounds = (INNER_RANKS * rowUnits) / THREADS;
    const keeps = dropout && writes !== 'dropped';
    const xAt = (quad: string): string =>
      `min(row0 + ${quad} / ${2 * rowUnits}u, uniforms.rows - 1u) * quads + min(depth0 / 4u + ${quad} % ${2 * rowUnits}u, lastQuad)`;
    const factorAt = (quad: string): string => {
      const [line, at] = [`(${quad} / ${2 * factorUnits}u)`, `(${quad} % ${2 * factorUnits}u)`];
      return factorTransposed
        ? `min(depth0 + ${line}, end - 1u) * rankQuads + min(rank0 / 4u + ${at}, rankQuads - 1u)`
        : `min(rank0 + ${line}, uniforms.rank - 1u) * quads + min(depth0 / 4u + ${at}, lastQuad)`;
    };
    const load = /* wgsl */ `
    ${times(
      leftRounds,
      (u) => `first${u} = x[${xAt(pairFirst(u, THREADS))}]; second${u} = x[${xAt(pairSecond(u, THREADS))}];`,
    ).join('\n    ')}
    ${times(
      factorRounds,
      (u) =>
        `factorFirst${u} = factor[${factorAt(pairFirst(u, THREADS))}]; factorSecond${u} = factor[${factorAt(pairSecond(u, THREADS))}];`,
    ).join('\n    ')}`;
    const packed = `pack8(${scaled('low', leftScale)}, ${scaled('high', leftScale)})`;
    const written = half ? `written[at / 2u] = ${packed};` : 'written[at] = low; written[at + 1u] = high;';
    const write = `if (writer && inside && row < uniforms.rows) { ${written} }`;
    const store = /* wgsl */ `
    ${times(
      leftRounds,
      (u) => /* wgsl */ `{
      let unit = ${pairUnit(u, THREADS)};
      let line = unit / ${rowUnits}u;
      let column = (unit % ${rowUnits}u) * 8u;
      let row = row0 + line;
      let inside = depth0 + column < end;
      let at = min(row, uniforms.rows - 1u) * quads + (depth0 + column) / 4u;
      let pair = pairOf(first${u}, second${u}, odd);
      var low = select(vec4f(), ${activation === 'linear' ? 'pair.low' : 'activate(pair.low)'}, inside);
      var high = select(vec4f(), ${activation === 'linear' ? 'pair.high' : 'activate(pair.high)'}, inside);
      ${writes === 'activated' ? write : ''}
      ${
        dropout
          ? /* wgsl */ `let words = dropoutWords(rowState(min(row, uniforms.rows - 1u)), (depth0 + column) / 8u, uniforms.site);
      let keepLow = dropoutBits(words.xy) >= vec4u(uniforms.threshold);
      let keepHigh = dropoutBits(words.zw) >= vec4u(uniforms.threshold);
      low = select(vec4f(), low * uniforms.keepScale, keepLow);
      high = select(vec4f(), high * uniforms.keepScale, keepHigh);`
          : ''
      }
      ${writes === 'dropped' ? write : ''}
      ${
        keeps
          ? /* wgsl */ `let byte = dot(select(vec4u(), vec4u(1u, 2u, 4u, 8u), keepLow) + select(vec4u(), vec4u(16u, 32u, 64u, 128u), keepHigh), vec4u(1u));
      // Four neighbouring units lie in lanes two apart.
      var word = byte << (((lane >> 1u) & 3u) * 8u);
      word |= subgroupShuffleXor(word, 2u);
      word |= subgroupShuffleXor(word, 4u);
      if (writer && (lane & 6u) == 0u && inside && row < uniforms.rows) { keepBits[at / 8u] = word; }`
          : ''
      }
      left[line * ${pitch}u + column / 8u] = ${packed};
    }`,
    ).join('\n    ')}
    ${times(
      factorRounds,
      (u) => /* wgsl */ `{
      let unit = ${pairUnit(u, THREADS)};
      let line = unit / ${factorUnits}u;
      let at = unit % ${factorUnits}u;
      let inside = ${
        factorTransposed
          ? 'depth0 + line < end && rank0 + at * 8u < uniforms.rank'
          : 'rank0 + line < uniforms.rank && depth0 + at * 8u < end'
      };
      right[line * ${factorPitch}u + at] = select(vec4u(), pairUp(pack4(factorFirst${u}), pack4(factorSecond${u}), odd), inside);
    }`,
    ).join('\n    ')}`;
    const io = layout({
      uniforms: {
        ...{ rows: 'u32', depth: 'u32', rank: 'u32', share: 'u32', scale: 'f32', ...INNER_DROPOUT },
        // Workgroups along the rows, and words of W behind them.
        ...{ tiles: 'u32', words: 'u32' },
      } as const,
      buffers: {
        ...innerBuffers({ dropout, writes, half }, 'vec4f'),
        ...halfWeightBuffers(!prepares ? 'none' : weight.nested ? 'nested' : 'plain'),
      },
    });
    return {
      layout: io,
      code: /* wgsl */ `
${MATRIX_EXTENSIONS}
${io.wgsl}
${dropout ? DROPOUT : ''}
${MATRIX_TYPES}${PAIRS}
${prepares ? halfWeightFunction(weight) : ''}
${activation === 'linear' ? '' : activationFunction('activate', activation, 'value')}
var<workgroup> left: array<vec4u, ${rows * pitch}>;
var<workgroup> right: array<vec4u, ${factorTransposed ? depth * factorPitch : INNER_RANKS * factorPitch}>;
var<workgroup> sums: array<vec4f, ${SUBGROUPS * 64}>;
@compute @workgroup_size(${THREADS})
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let subgroup = thread / ${LANES}u;
  let lane = thread % ${LANES}u;
  let odd = (lane & 1u) == 1u;
  ${
    prepares
      ? /* wgsl */ `if (workgroup.x >= uniforms.tiles) {
    if (workgroup.y == 0u) {
      halfWeights(workgroup.z * (workgroups.x - uniforms.tiles) + workgroup.x - uniforms.tiles, uniforms.words, thread);
    }
    return;
  }`
      : ''
  }
  let row0 = workgroup.x * ${rows}u;
  let rank0 = workgroup.y * ${INNER_RANKS}u;
  let writer = workgroup.y == 0u;
  let start = workgroup.z * uniforms.share;
  let end = min(start + uniforms.share, uniforms.depth);
  let quads = uniforms.depth / 4u;
  let lastQuad = end / 4u - 1u;
  let rankQuads = uniforms.rank / 4u;
  let fragment = subgroup % ${fragments}u;
  let step = (subgroup / ${fragments}u) * ${SUBGROUP_DEPTH}u;
  ${times(leftRounds, (u) => `var first${u}: vec4f; var second${u}: vec4f;`).join(' ')}
  ${times(factorRounds, (u) => `var factorFirst${u}: vec4f; var factorSecond${u}: vec4f;`).join(' ')}
  var sum: Sum;
  var depth0 = start;
  ${load}
  loop {
    ${store}
    workgroupBarrier();
    depth0 += ${depth}u;
    if (depth0 < end) {
      ${load}
    }
    ${times(SUBGROUP_DEPTH / FRAGMENT, (d) => {
      const right = factorTransposed
        ? `subgroupMatrixLoad<Right, row_major>(&right, (step + ${d * FRAGMENT}u) * ${factorPitch}u, ${factorPitch}u)`
        : `subgroupMatrixLoad<Right, col_major>(&right, step / 8u + ${2 * d}u, ${factorPitch}u)`;
      return `sum = subgroupMatrixMultiplyAccumulate(subgroupMatrixLoad<Left, row_major>(&left, fragment * ${FRAGMENT * pitch}u + step / 8u + ${2 * d}u, ${pitch}u), ${right}, sum);`;
    }).join('\n    ')}
    workgroupBarrier();
    if (depth0 >= end) { break; }
  }
  subgroupMatrixStore<row_major>(&sums, subgroup * 64u, sum, 4u);
  workgroupBarrier();
  if (thread >= ${64 * fragments}u) { return; }
  var total = vec4f();
  for (var s = 0u; s < ${SUBGROUPS / fragments}u; s++) { total += sums[(s * ${fragments}u + thread / 64u) * 64u + thread % 64u]; }
  let row = row0 + thread / 4u;
  let rank = rank0 + (thread & 3u) * 4u;
  if (row < uniforms.rows && rank < uniforms.rank) {
    inner[((workgroup.z * uniforms.rows + row) * uniforms.rank + rank) / 4u] = total * (uniforms.scale / ${leftScale}.0);
  }
}`,
    };
  },
);
