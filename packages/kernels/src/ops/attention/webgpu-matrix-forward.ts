// Idea: scores twice on subgroup matrices, instead of an online softmax that takes the sums to lanes and back.
// Cost: 3 products of rows x keys x head size with float16 factors, half of them by causality; some 135 MB at 64 texts of 128 tokens and
// 16 heads of 64. Bound by instructions: dropout draws once for 8 probabilities.
// Measured: 236 us for those on an H200, 9 TFLOP/s of the two products that the maths has, 0.57 TB/s (bench/results/step.json, kernels, 64x128).

import { shaderVariants } from '../../webgpu/shader';
import { FRAGMENT, MATRIX_EXTENSIONS, MATRIX_TYPES, PAIRS, times } from '../../webgpu/subgroup-matrix';
import {
  addProducts,
  declareSums,
  dropQuads,
  FIRST_KEY,
  halfTile,
  LOOP_ROWS,
  MATRIX_ENTRY,
  matrixTileSizes,
  quadKeys,
  qkvTileLoader,
  rowProducts,
  SCRATCH,
  scoreQuad,
  storeScores,
  writeSums,
  type MatrixTileConstants,
} from './matrix-wgsl';
import { forwardLayout, freeRows, KEY_HEAD, MASKED, NO_KEYS, preamble, reader, writer } from './wgsl';

/** vec4u from one row of the weights to the next: 32 columns in f16, and 16 bytes that spread rows over the banks. */
const WEIGHT_PITCH = LOOP_ROWS / 8 + 1;

export function matrixForwardBytes(constants: Pick<MatrixTileConstants, 'headSize' | 'subgroups'>): number {
  const { pitch } = matrixTileSizes(constants);
  const { subgroups } = constants;
  const tiles = (subgroups * FRAGMENT + 2 * LOOP_ROWS) * pitch;
  return 16 * (tiles + subgroups * (SCRATCH + FRAGMENT * WEIGHT_PITCH));
}

/**
 * Attention forward on subgroup matrices, f16 factors and f32 sums. A subgroup owns 16 queries; scores go through
 * workgroup memory, where two lanes share a query. Keys are gone over twice: for the log-sums, then for the
 * probabilities. The second product of scores is cheaper than to bring the sums to lanes and back for each rescaling
 * that an online softmax needs.
 */
export const matrixForwardShader = shaderVariants('attention matrix', (constants: MatrixTileConstants) => {
  const sizes = matrixTileSizes(constants);
  const { ownRows, subgroups, dropout, headSize } = constants;
  const scores = (keys: string): string => /* wgsl */ `
    ${rowProducts('s', 'queries', keys, `subgroup * ${FRAGMENT}u`, sizes)}
    ${storeScores('s')}`;
  /** Statements for each of a lane's four times four keys, written out: arrays would leave the registers. */
  const eachQuad = (body: (c: number) => string): string =>
    times(
      4,
      (c) => /* wgsl */ `${quadKeys(c, FIRST_KEY)}
    let score${c} = ${scoreQuad(c)} * uniforms.scale;
    ${body(c)}`,
    ).join('');
  const [queries, keys, values] = [
    qkvTileLoader('queries', ownRows, sizes, 0),
    qkvTileLoader('keys', LOOP_ROWS, sizes, 1),
    qkvTileLoader('values', LOOP_ROWS, sizes, 2),
  ];
  const io = forwardLayout(constants, 'vec4f');
  return {
    layout: io,
    code: /* wgsl */ `
${MATRIX_EXTENSIONS}
${preamble(constants, io)}
${MATRIX_TYPES}${PAIRS}
${reader('readQkv', 'qkv', 'qkv', constants)}
${writer('writeY', 'y', 'heads', constants)}
${halfTile('queries', ownRows, sizes)}
${halfTile('keys', LOOP_ROWS, sizes)}
${halfTile('values', LOOP_ROWS, sizes)}
var<workgroup> scratch: array<vec4f, ${subgroups * SCRATCH}>;
var<workgroup> weights: array<vec4u, ${subgroups * FRAGMENT * WEIGHT_PITCH}>;
${MATRIX_ENTRY(sizes.threads)}
  let head = workgroup.y;
  ${KEY_HEAD}
  ${freeRows(
    sizes.threads,
    'thread',
    `for (var d = 0u; d < ${headSize / 4}u; d++) { writeY(row, 0u, head, d, vec4f(0.0)); }
      lse[u32(row) * uniforms.heads + head] = ${NO_KEYS};`,
  )}
  let sequence = sequenceAt(workgroup.z);
  let first = i32(workgroup.x) * ${ownRows};
  if (first >= sequence.count) { return; }
  let query = first + i32(subgroup * ${FRAGMENT}u + (lane >> 1u));
  let side = lane & 1u;
  let scratch0 = subgroup * ${SCRATCH}u;
  let weights0 = subgroup * ${FRAGMENT * WEIGHT_PITCH}u;
  let last = sequence.count - 1;
  ${queries.declare}
  ${keys.declare}
  ${values.declare}
  ${queries.load('first')}
  let begin = sequence.keyStart / ${LOOP_ROWS} * ${LOOP_ROWS};
  let end = min(first + ${ownRows}, sequence.keyEnd);
  var largest = ${MASKED};
  var total = 0.0;
  ${keys.load('begin')}
  ${queries.store('first')}
  for (var t = begin; t < end; t += ${LOOP_ROWS}) {
    ${keys.store('t')}
    workgroupBarrier();
    // What comes next is read while this is multiplied: other keys, or the first ones again.
    let next = select(begin, t + ${LOOP_ROWS}, t + ${LOOP_ROWS} < end);
    ${keys.load('next')}
    ${scores('keys')}
    var most = largest;
    ${eachQuad(
      (c) => /* wgsl */ `let quad${c} = select(vec4f(${MASKED}), score${c}, seen${c});
    most = max(most, max(max(quad${c}.x, quad${c}.y), max(quad${c}.z, quad${c}.w)));`,
    )}
    total *= exp(largest - most);
    // A masked score is told by its value: no real one lies so low.
    ${times(4, (c) => `total += dot(select(exp(quad${c} - most), vec4f(0.0), quad${c} <= vec4f(${MASKED})), vec4f(1.0));`).join('\n    ')}
    largest = most;
    workgroupBarrier();
  }
  let otherLargest = subgroupShuffleXor(largest, 1u);
  let otherTotal = subgroupShuffleXor(total, 1u);
  let highest = max(largest, otherLargest);
  let sum = total * exp(largest - highest) + otherTotal * exp(otherLargest - highest);
  let logSum = select(${NO_KEYS}, highest + log(sum), sum > 0.0);
  if (side == 0u && query < sequence.count) { lse[u32(sequence.start + query) * uniforms.heads + head] = logSum; }
  ${dropout === 'none' ? '' : 'let state = rowState(u32(sequence.start + min(query, last)));'}
  ${declareSums('o', sizes)}
  ${values.load('begin')}
  for (var t = begin; t < end; t += ${LOOP_ROWS}) {
    ${keys.store('t')}
    ${values.store('t')}
    workgroupBarrier();
    ${keys.load(`t + ${LOOP_ROWS}`)}
    ${values.load(`t + ${LOOP_ROWS}`)}
    ${scores('keys')}
    ${eachQuad((c) => `var p${c} = select(vec4f(0.0), exp(score${c} - logSum), seen${c});`)}
    ${
      dropout === 'none'
        ? ''
        : dropQuads(
            (c) => `head * uniforms.keyStride + u32(key${c}.x)`,
            (c) => `p${c} = select(vec4f(0.0), p${c} * uniforms.keepScale, kept);`,
          )
    }
    let place = weights0 + (lane >> 1u) * ${WEIGHT_PITCH}u + side * 2u;
    weights[place] = pack8(p0, p1);
    weights[place + 1u] = pack8(p2, p3);
    workgroupBarrier();
    ${addProducts(
      'o',
      (j) => `subgroupMatrixLoad<Left, row_major>(&weights, weights0 + ${2 * j}u, ${WEIGHT_PITCH}u)`,
      'values',
      sizes,
    )}
    workgroupBarrier();
  }
  ${writeSums('o', sizes, {
    factor: '1.0',
    write: (row, d, value) => `writeY(sequence.start + ${row}, 0u, head, ${d}, ${value});`,
  })}
}`,
  };
});
