// Idea: with few columns x is read once, so the depth is shared by a workgroup's threads and added at the end.
// Cost: 4 bytes a value of x, as much again or half for what is written, an eighth of a byte of keep bits; 2 r operations a value and a
// draw for 4.

import { util } from '@tensorflow/tfjs-core';
import type { WebgpuKernel } from '../../engine/op';
import { dropoutNumbers } from '../../random/dropout-stream';
import { dispatch, makeOutput } from '../../webgpu/dispatch';
import { DROPOUT } from '../../webgpu/philox';
import { shaderVariants } from '../../webgpu/shader';
import { layout } from '../../webgpu/layout';
import { activationFunction } from '../../webgpu/activation';
import { sizeOf } from '../../four-bit/types';
import { weightOf } from '../../four-bit/take-apart';
import {
  halfWeightConstants,
  halfWeightGroups,
  halfWeightTensors,
  makeHalfWeight,
  NO_HALF_WEIGHT,
  NO_WEIGHT,
} from '../../products/half-weight';
import { innerBuffers, INNER_DROPOUT } from './inner-layout';
import { keepWords } from './keep-bits';
import type { InnerAttributes, InnerInputs, InnerOutputs, InnerShaderConstants } from './types';
import { chooseInnerVariant, INNER_RANKS, innerRows, matrixInnerShader } from './webgpu-matrix-inner';

const THREADS = 256;
/** Rows of the factor that a workgroup multiplies. */
const RANKS = 16;
/** vec4 sums of all threads: four a thread. */
const PARTIALS = 4 * THREADS;

/** Rows of x that a workgroup multiplies, and the depth of the tiles in vec4. */
type InnerTile = Readonly<{ rows: number; depth: number }>;

/** Few rows a workgroup while that gives every processor one: most of the time goes into Philox and into waiting. */
const SHORT: InnerTile = { rows: 4, depth: 64 };
const TALL: InnerTile = { rows: 16, depth: 32 };
/** Rows from which the taller tile, which reads the factor less often, has enough workgroups. */
const TALL_FROM = 2048;

/**
 * dropout(activation(x))·Aᵀ with few columns where there are no subgroup matrices: tall products that read x once. A
 * thread multiplies four rows by four columns over a part of the depth, and the parts are added at the end, so that
 * all 256 threads have work at so few values. The next tiles are on their way from memory while these are multiplied.
 * vec4s of a tile are swapped by row, which spreads what a subgroup reads at a time over all banks.
 */
const shader = shaderVariants(
  'lora inner',
  ({ rows, depth, factorTransposed, activation, dropout, writes }: InnerTile & InnerShaderConstants) => {
    const keeps = dropout && writes !== 'dropped';
    const quarters = [0, 1, 2, 3];
    const rowQuads = rows / 4;
    const parts = THREADS / (4 * rowQuads);
    const units = (lines: number): number[] => Array.from({ length: (lines * depth) / THREADS }, (_, u) => u);
    const leftUnits = units(rows);
    const rightUnits = units(RANKS);
    const rightSize = RANKS * depth;
    const loadFactor = (u: number): string =>
      factorTransposed
        ? /* wgsl */ `
    factor${u} = vec4f();
    if (depth0 * 4u + factorStep${u} < uniforms.depth && factorAt${u} < uniforms.rank) {
      factor${u} = factor[((depth0 * 4u + factorStep${u}) * uniforms.rank + factorAt${u}) / 4u];
    }`
        : /* wgsl */ `
    factor${u} = vec4f();
    if (depth0 + factorStep${u} < depth && rank0 + factorLine${u} < uniforms.rank) {
      factor${u} = factor[(rank0 + factorLine${u}) * depth + depth0 + factorStep${u}];
    }`;
    const storeFactor = (u: number): string =>
      factorTransposed
        ? quarters
            .map(
              (e) =>
                `right[place(factorAt${u} - rank0 + ${e}u, factorStep${u} / 4u)][factorStep${u} % 4u] = factor${u}[${e}];`,
            )
            .join(' ')
        : `right[place(factorLine${u}, factorStep${u})] = factor${u};`;
    const load = /* wgsl */ `
    ${leftUnits.map((u) => `x${u} = vec4f(); if (depth0 + step${u} < depth) { x${u} = x[xRow${u} * depth + depth0 + step${u}]; }`).join('\n    ')}
    ${rightUnits.map(loadFactor).join('')}`;
    const write = (u: number): string =>
      `if (workgroup.y == 0u && row0 + line${u} < uniforms.rows && depth0 + step${u} < depth) { written[xRow${u} * depth + depth0 + step${u}] = x${u}; }`;
    const store = /* wgsl */ `
    ${leftUnits
      .map(
        (u) => /* wgsl */ `
    ${activation === 'linear' ? '' : `x${u} = activate(x${u});`}
    ${writes === 'activated' ? write(u) : ''}
    ${
      dropout
        ? /* wgsl */ `let keep${u} = dropoutQuad(rowState(xRow${u}), depth0 + step${u}, uniforms.site) >= vec4u(uniforms.threshold);
    x${u} = select(vec4f(), x${u} * uniforms.keepScale, keep${u});
    ${keeps ? `nibbles[lane + ${u * THREADS}u] = dot(select(vec4u(), vec4u(1u, 2u, 4u, 8u), keep${u}), vec4u(1u));` : ''}`
        : ''
    }
    ${writes === 'dropped' ? write(u) : ''}
    left[place(line${u}, step${u})] = x${u};`,
      )
      .join('\n    ')}
    ${rightUnits.map(storeFactor).join('\n    ')}`;
    const io = layout({
      uniforms: { rows: 'u32', depth: 'u32', rank: 'u32', scale: 'f32', ...INNER_DROPOUT },
      buffers: innerBuffers({ dropout, writes, half: false }, 'f32'),
    });
    return {
      layout: io,
      code: /* wgsl */ `
${io.wgsl}
${keeps ? `var<workgroup> nibbles: array<u32, ${rows * depth}>;` : ''}
${dropout ? DROPOUT : ''}
${activation === 'linear' ? '' : activationFunction('activate', activation, 'value')}
var<workgroup> left: array<vec4f, ${rows * depth}>;
var<workgroup> right: array<vec4f, ${rightSize}>;

fn place(row: u32, step: u32) -> u32 { return row * ${depth}u + (step ^ ((row >> 2u) << 1u)); }

@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
  let depth = uniforms.depth / 4u;
  let row0 = workgroup.x * ${rows}u;
  let rank0 = workgroup.y * ${RANKS}u;
  let columns = lane & 3u;
  let rows = (lane >> 2u) % ${rowQuads}u;
  let part = lane / ${4 * rowQuads}u;
  ${leftUnits
    .map(
      (u) => /* wgsl */ `
  let line${u} = (lane + ${u * THREADS}u) / ${depth}u;
  let step${u} = (lane + ${u * THREADS}u) % ${depth}u;
  let xRow${u} = min(row0 + line${u}, uniforms.rows - 1u);
  var x${u}: vec4f;`,
    )
    .join('')}
  ${rightUnits
    .map((u) =>
      factorTransposed
        ? /* wgsl */ `
  let factorStep${u} = (lane + ${u * THREADS}u) / ${RANKS / 4}u;
  let factorAt${u} = rank0 + (lane % ${RANKS / 4}u) * 4u;
  var factor${u}: vec4f;`
        : /* wgsl */ `
  let factorLine${u} = (lane + ${u * THREADS}u) / ${depth}u;
  let factorStep${u} = (lane + ${u * THREADS}u) % ${depth}u;
  var factor${u}: vec4f;`,
    )
    .join('')}
  ${quarters.map((i) => `var sum${i} = vec4f();`).join(' ')}
  var depth0 = 0u;
  ${load}
  loop {
    ${store}
    workgroupBarrier();
    ${
      keeps
        ? /* wgsl */ `
    if (lane < ${(rows * depth) / 8}u && workgroup.y == 0u) {
      let row = row0 + lane / ${depth / 8}u;
      let at = depth0 + (lane % ${depth / 8}u) * 8u;
      if (row < uniforms.rows && at < depth) {
        var word = 0u;
        for (var e = 0u; e < 8u; e++) { word |= nibbles[lane * 8u + e] << (4u * e); }
        keepBits[(row * depth + at) / 8u] = word;
      }
    }`
        : ''
    }
    depth0 += ${depth}u;
    if (depth0 < depth) {
      ${load}
    }
    for (var s = part; s < ${depth}u; s += ${parts}u) {
      ${quarters.map((j) => `let b${j} = right[place(columns * 4u + ${j}u, s)];`).join(' ')}
      ${quarters
        .map(
          (i) =>
            `{ let a = left[place(rows * 4u + ${i}u, s)]; sum${i} += vec4f(dot(a, b0), dot(a, b1), dot(a, b2), dot(a, b3)); }`,
        )
        .join('\n      ')}
    }
    workgroupBarrier();
    if (depth0 >= depth) { break; }
  }
  // The parts take the tiles' place.
  ${quarters
    .map((i) => {
      const at = `part * ${rows * 4}u + (rows * 4u + ${i}u) * 4u + columns`;
      return rightSize >= PARTIALS
        ? `right[${at}] = sum${i};`
        : `{ let at = ${at}; if (at < ${rightSize}u) { right[at] = sum${i}; } else { left[at - ${rightSize}u] = sum${i}; } }`;
    })
    .join('\n  ')}
  workgroupBarrier();
  if (lane >= ${rows * RANKS}u) { return; }
  let row = lane / ${RANKS}u;
  let column = lane % ${RANKS}u;
  var total = 0.0;
  for (var p = 0u; p < ${parts}u; p++) {
    let at = p * ${rows * 4}u + lane / 4u;
    ${
      rightSize >= PARTIALS
        ? 'total += right[at][lane & 3u];'
        : `if (at < ${rightSize}u) { total += right[at][lane & 3u]; } else { total += left[at - ${rightSize}u][lane & 3u]; }`
    }
  }
  if (row0 + row < uniforms.rows && rank0 + column < uniforms.rank) {
    inner[(row0 + row) * uniforms.rank + rank0 + column] = total * uniforms.scale;
  }
}`,
    };
  },
);

export const webgpuInner: WebgpuKernel<InnerInputs, InnerAttributes, InnerOutputs> = (
  { x, factor, random, ...inputs },
  { activation, factorTransposed, scale, dropout: { rate, site }, writes, half, weight },
  backend,
) => {
  const [rows = 0, depth = 0] = x.shape;
  const rank = factor.shape[factorTransposed ? 1 : 0]!;
  const dropout = rate > 0;
  const keeps = dropout && writes !== 'dropped';
  const { threshold, keepScale } = dropoutNumbers(rate);
  const variant = chooseInnerVariant(backend.device, { rows, depth });
  const inner = makeOutput(backend, [variant?.parts ?? 1, rows, rank]);
  const keepBits = keeps ? makeOutput(backend, [keepWords(util.sizeFromShape(x.shape))], 'int32') : undefined;
  const written =
    writes === 'nothing'
      ? undefined
      : half
        ? makeOutput(backend, [rows, depth / 2], 'int32')
        : makeOutput(backend, [rows, depth]);
  const halfWeight = weight === undefined ? undefined : makeHalfWeight(backend, weight);
  const buffers = { x, factor, inner, written, keepBits, random: dropout ? random : undefined };
  const constants: InnerShaderConstants = { activation, factorTransposed, dropout, writes, half };
  const drawn = { threshold, site, keepScale };
  if (variant === undefined) {
    const tile = rows < TALL_FROM ? SHORT : TALL;
    dispatch(backend, {
      shader: shader({ ...tile, ...constants }),
      buffers,
      uniforms: { rows, depth, rank, scale, ...drawn },
      workgroups: [Math.ceil(rows / tile.rows), Math.ceil(rank / RANKS), 1],
    });
  } else {
    const { fragments, parts, share } = variant;
    const tiles = Math.ceil(rows / innerRows(fragments));
    const size = weight === undefined ? 0 : sizeOf(weight.shape);
    dispatch(backend, {
      shader: matrixInnerShader({
        ...constants,
        fragments,
        prepares: weight !== undefined,
        ...(weight === undefined ? NO_WEIGHT : halfWeightConstants(weight)),
      }),
      buffers: {
        ...buffers,
        ...(halfWeight === undefined ? NO_HALF_WEIGHT : halfWeightTensors(halfWeight, weightOf(inputs))),
      },
      uniforms: { rows, depth, rank, share, scale, ...drawn, tiles, words: size / 8 },
      workgroups: [tiles + Math.ceil(halfWeightGroups(size) / parts), Math.ceil(rank / INNER_RANKS), parts],
    });
  }
  return { inner, keepBits, written, halfWeight };
};
