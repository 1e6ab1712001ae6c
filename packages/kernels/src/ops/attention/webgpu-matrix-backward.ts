// Idea: the score matrix is made again from the log-sums; a subgroup owns 16 queries, or 16 keys, and goes over the others.
// Cost: 3 products of rows x keys x head size by the queries, 4 by the keys, with float16 factors, half of them by causality. Bound by
// instructions: dropout draws once for 8 probabilities in each of the two.
// Measured: 238 and 240 us at 64 texts of 128 tokens and 16 heads of 64 on an H200, 14 and 18 TFLOP/s (bench/results/step.json, kernels, 64x128).

import { shaderVariants } from '../../webgpu/shader';
import { FRAGMENT, MATRIX_EXTENSIONS, MATRIX_TYPES, PAIRS, SLOPE_SCALE, times } from '../../webgpu/subgroup-matrix';
import {
  addProducts,
  declareSums,
  dropQuads,
  FIRST_KEY,
  halfTile,
  halfTileLoader,
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
  type HalfTileLoader,
  type MatrixTileConstants,
  type MatrixTileSizes,
} from './matrix-wgsl';
import {
  queryGradientLayout,
  keyGradientLayout,
  freeRows,
  KEY_HEAD,
  NO_KEYS,
  preamble,
  reader,
  writer,
  zeroRow,
} from './wgsl';

/** vec4u from one query's weights to the next: 32 keys in f16, or a subgroup's 16, and 16 bytes for the banks. */
const QUERY_PITCH = LOOP_ROWS / 8 + 1;
const KEY_PITCH = FRAGMENT / 8 + 1;
/** vec4 from one query's scores of 16 keys to the next. */
const COLUMN_PITCH = FRAGMENT / 4 + 1;
const COLUMNS = LOOP_ROWS * COLUMN_PITCH;

export function matrixBackwardBytes(constants: Pick<MatrixTileConstants, 'headSize' | 'subgroups'>): number {
  const { pitch } = matrixTileSizes(constants);
  const { subgroups } = constants;
  const tiles = (2 * subgroups * FRAGMENT + 2 * LOOP_ROWS) * pitch;
  const queries = subgroups * (SCRATCH + FRAGMENT * QUERY_PITCH);
  const keys = subgroups * (Math.max(SCRATCH, COLUMNS) + LOOP_ROWS * KEY_PITCH);
  return 16 * (tiles + Math.max(queries, keys));
}

/** vec4 of dy and of y that a lane has on their way at a time. */
const DELTA_READS = 4;

/** The way of a tile of dy, times SLOPE_SCALE. */
const slopeTileLoader = (rows: number, sizes: MatrixTileSizes, head = 'head'): HalfTileLoader =>
  halfTileLoader('slopes', rows, sizes, (row, d) => `readDy(sequence.start + ${row}, 0u, ${head}, ${d})`, SLOPE_SCALE);

/**
 * The gradient by the queries on subgroup matrices (Dao 2023, FlashAttention-2, section 3.1): a subgroup owns 16
 * queries. Leaves delta = sum(dy * y) of each row for the kernel that follows, and zeros in the rows of no sequence.
 */
export const matrixQueryGradientShader = shaderVariants(
  'attention backward matrix, queries',
  (constants: MatrixTileConstants) => {
    const sizes = matrixTileSizes(constants);
    const { ownRows, subgroups, dropout, headSize } = constants;
    const own = `subgroup * ${FRAGMENT}u`;
    const [queries, slopes] = [qkvTileLoader('queries', ownRows, sizes, 0), slopeTileLoader(ownRows, sizes)];
    const [keys, values] = [qkvTileLoader('keys', LOOP_ROWS, sizes, 1), qkvTileLoader('values', LOOP_ROWS, sizes, 2)];
    const io = queryGradientLayout(constants, 'vec4f');
    return {
      layout: io,
      code: /* wgsl */ `
${MATRIX_EXTENSIONS}
${preamble(constants, io)}
${MATRIX_TYPES}${PAIRS}
${reader('readQkv', 'qkv', 'qkv', constants)}
${reader('readDy', 'dy', 'heads', constants)}
${reader('readY', 'y', 'heads', constants)}
${writer('writeDqkv', 'dqkv', 'qkv', constants)}
${halfTile('queries', ownRows, sizes)}
${halfTile('slopes', ownRows, sizes)}
${halfTile('keys', LOOP_ROWS, sizes)}
${halfTile('values', LOOP_ROWS, sizes)}
var<workgroup> scratch: array<vec4f, ${subgroups * SCRATCH}>;
var<workgroup> weights: array<vec4u, ${subgroups * FRAGMENT * QUERY_PITCH}>;
${MATRIX_ENTRY(sizes.threads)}
  let head = workgroup.y;
  ${KEY_HEAD}
  ${freeRows(sizes.threads, 'thread', zeroRow(headSize / 4))}
  let sequence = sequenceAt(workgroup.z);
  let first = i32(workgroup.x) * ${ownRows};
  if (first >= sequence.count) { return; }
  let query = first + i32(${own} + (lane >> 1u));
  let side = lane & 1u;
  let scratch0 = subgroup * ${SCRATCH}u;
  let weights0 = subgroup * ${FRAGMENT * QUERY_PITCH}u;
  let last = sequence.count - 1;
  ${queries.declare}
  ${slopes.declare}
  ${keys.declare}
  ${values.declare}
  ${queries.load('first')}
  ${slopes.load('first')}
  let ownRow = sequence.start + min(query, last);
  ${dropout === 'none' ? '' : 'let state = rowState(u32(ownRow));'}
  let logSum = select(${NO_KEYS}, lse[u32(ownRow) * uniforms.heads + head], query <= last);
  var part = 0.0;
  ${times(Math.ceil(headSize / (8 * DELTA_READS)), (chunk) => {
    const reads = times(Math.min(DELTA_READS, headSize / 8 - chunk * DELTA_READS), (i) => i);
    const at = (i: number): string => `side + ${2 * (chunk * DELTA_READS + i)}u`;
    return /* wgsl */ `{
    ${reads.map((i) => `let dy${i} = readDy(ownRow, 0u, head, ${at(i)}); let y${i} = readY(ownRow, 0u, head, ${at(i)});`).join(' ')}
    part += ${reads.map((i) => `dot(dy${i}, y${i})`).join(' + ')};
  }`;
  }).join('\n  ')}
  let delta = part + subgroupShuffleXor(part, 1u);
  if (side == 0u && query < sequence.count) { deltas[u32(sequence.start + query) * uniforms.heads + head] = delta; }
  ${declareSums('o', sizes)}
  let begin = sequence.keyStart / ${LOOP_ROWS} * ${LOOP_ROWS};
  let end = min(first + ${ownRows}, sequence.keyEnd);
  ${keys.load('begin')}
  ${values.load('begin')}
  ${queries.store('first')}
  ${slopes.store('first')}
  for (var t = begin; t < end; t += ${LOOP_ROWS}) {
    ${keys.store('t')}
    ${values.store('t')}
    workgroupBarrier();
    ${keys.load(`t + ${LOOP_ROWS}`)}
    ${values.load(`t + ${LOOP_ROWS}`)}
    ${rowProducts('s', 'queries', 'keys', own, sizes)}
    ${storeScores('s')}
    ${times(
      4,
      (c) => /* wgsl */ `${quadKeys(c, FIRST_KEY)}
    var p${c} = select(vec4f(0.0), exp(${scoreQuad(c)} * uniforms.scale - logSum), seen${c});`,
    ).join('')}
    workgroupBarrier();
    ${rowProducts('dp', 'slopes', 'values', own, sizes)}
    ${storeScores('dp')}
    ${times(4, (c) => `var slope${c} = ${scoreQuad(c)};`).join(' ')}
    ${
      dropout === 'none'
        ? ''
        : dropQuads(
            (c) => `head * uniforms.keyStride + u32(key${c}.x)`,
            (c) => `slope${c} = select(vec4f(0.0), slope${c} * uniforms.keepScale, kept);`,
          )
    }
    ${times(4, (c) => `p${c} *= slope${c} - delta * ${SLOPE_SCALE}.0;`).join(' ')}
    let place = weights0 + (lane >> 1u) * ${QUERY_PITCH}u + side * 2u;
    weights[place] = pack8(p0, p1);
    weights[place + 1u] = pack8(p2, p3);
    workgroupBarrier();
    ${addProducts(
      'o',
      (j) => `subgroupMatrixLoad<Left, row_major>(&weights, weights0 + ${2 * j}u, ${QUERY_PITCH}u)`,
      'keys',
      sizes,
    )}
    workgroupBarrier();
  }
  ${writeSums('o', sizes, {
    factor: `(uniforms.scale / ${SLOPE_SCALE}.0)`,
    write: (row, d, value) => `writeDqkv(sequence.start + ${row}, 0u, head, ${d}, ${value});`,
  })}
}`,
    };
  },
);

/**
 * The gradients by the keys and values on subgroup matrices: a subgroup owns 16 keys and goes over the queries that see
 * them, in each of the heads that share the keys. A lane takes one query's 16 scores, so that a Philox block serves eight neighbouring keys here too.
 */
export const matrixKeyGradientShader = shaderVariants(
  'attention backward matrix, keys',
  (constants: MatrixTileConstants) => {
    const sizes = matrixTileSizes(constants);
    const { ownRows, subgroups, dropout } = constants;
    const own = `subgroup * ${FRAGMENT}u`;
    const [keys, values] = [qkvTileLoader('keys', ownRows, sizes, 1), qkvTileLoader('values', ownRows, sizes, 2)];
    const [queries, slopes] = [
      qkvTileLoader('queries', LOOP_ROWS, sizes, 0, 'ahead'),
      slopeTileLoader(LOOP_ROWS, sizes, 'ahead'),
    ];
    const store = (name: string): string => /* wgsl */ `
    subgroupMatrixStore<col_major>(&scratch, scratch0, ${name}0, ${COLUMN_PITCH}u);
    subgroupMatrixStore<col_major>(&scratch, scratch0 + ${FRAGMENT * COLUMN_PITCH}u, ${name}1, ${COLUMN_PITCH}u);
    workgroupBarrier();`;
    const quad = (c: number): string => `scratch[scratch0 + lane * ${COLUMN_PITCH}u + ${c}u]`;
    const weights = (j: number): string =>
      `subgroupMatrixLoad<Left, col_major>(&weights, weights0 + ${j * FRAGMENT * KEY_PITCH}u, ${KEY_PITCH}u)`;
    const element = (c: number): string => `head * uniforms.keyStride + u32(ownKey) + ${4 * c}u`;
    const io = keyGradientLayout(constants, 'vec4f');
    return {
      layout: io,
      code: /* wgsl */ `
${MATRIX_EXTENSIONS}
${preamble(constants, io)}
${MATRIX_TYPES}${PAIRS}
${reader('readQkv', 'qkv', 'qkv', constants)}
${reader('readDy', 'dy', 'heads', constants)}
${writer('writeDqkv', 'dqkv', 'qkv', constants)}
${halfTile('keys', ownRows, sizes)}
${halfTile('values', ownRows, sizes)}
${halfTile('queries', LOOP_ROWS, sizes)}
${halfTile('slopes', LOOP_ROWS, sizes)}
var<workgroup> scratch: array<vec4f, ${subgroups * Math.max(SCRATCH, COLUMNS)}>;
var<workgroup> weights: array<vec4u, ${subgroups * LOOP_ROWS * KEY_PITCH}>;
${MATRIX_ENTRY(sizes.threads)}
  let keyHead = workgroup.y;
  let group = uniforms.heads / uniforms.keyHeads;
  var head = keyHead * group;
  var ahead = head;
  let sequence = sequenceAt(workgroup.z);
  let first = i32(workgroup.x) * ${ownRows};
  if (first >= sequence.count) { return; }
  let ownKey = first + i32(${own});
  let scratch0 = subgroup * ${Math.max(SCRATCH, COLUMNS)}u;
  let weights0 = subgroup * ${LOOP_ROWS * KEY_PITCH}u;
  let last = sequence.count - 1;
  ${keys.declare}
  ${values.declare}
  ${queries.declare}
  ${slopes.declare}
  ${keys.load('first')}
  ${values.load('first')}
  ${declareSums('k', sizes)}
  ${declareSums('v', sizes)}
  // No query sees a key before keyStart or from keyEnd on; key j is seen by queries j and later.
  let anySeen = first < sequence.keyEnd && first + ${ownRows} > sequence.keyStart;
  let end = select(0, sequence.count, anySeen);
  let begin = first / ${LOOP_ROWS} * ${LOOP_ROWS};
  ${queries.load('begin')}
  ${slopes.load('begin')}
  ${keys.store('first')}
  ${values.store('first')}
  var t = begin;
  for (var passes = group * u32((max(end, begin) - begin + ${LOOP_ROWS - 1}) / ${LOOP_ROWS}); passes > 0u; passes--) {
    ${queries.store('t')}
    ${slopes.store('t')}
    let query = t + i32(lane);
    let queryRow = u32(sequence.start + min(query, last));
    let index = queryRow * uniforms.heads + head;
    ${dropout === 'none' ? '' : 'let state = rowState(queryRow);'}
    let logSum = select(${NO_KEYS}, lse[index], query <= last);
    let delta = deltas[index];
    workgroupBarrier();
    // What comes next is read while this is multiplied: other queries, or the next head's first ones.
    let turns = t + ${LOOP_ROWS} >= end;
    let next = select(t + ${LOOP_ROWS}, begin, turns);
    ahead = min(select(head, head + 1u, turns), uniforms.heads - 1u);
    ${queries.load('next')}
    ${slopes.load('next')}
    ${rowProducts('s', 'keys', 'queries', own, sizes)}
    ${store('s')}
    ${times(
      4,
      (c) => /* wgsl */ `${quadKeys(c, 'ownKey')}
    var p${c} = select(vec4f(0.0), exp(${quad(c)} * uniforms.scale - logSum), seen${c});
    var factor${c} = vec4f(1.0);`,
    ).join('')}
    ${dropout === 'none' ? '' : dropQuads(element, (c) => `factor${c} = select(vec4f(0.0), vec4f(uniforms.keepScale), kept);`)}
    let place = weights0 + lane * ${KEY_PITCH}u;
    weights[place] = pack8(p0 * factor0, p1 * factor1);
    weights[place + 1u] = pack8(p2 * factor2, p3 * factor3);
    workgroupBarrier();
    ${addProducts('v', weights, 'slopes', sizes)}
    ${rowProducts('dp', 'values', 'slopes', own, sizes)}
    ${store('dp')}
    ${times(4, (c) => `p${c} *= ${quad(c)} * factor${c} - delta * ${SLOPE_SCALE}.0;`).join(' ')}
    weights[place] = pack8(p0, p1);
    weights[place + 1u] = pack8(p2, p3);
    workgroupBarrier();
    ${addProducts('k', weights, 'queries', sizes)}
    workgroupBarrier();
    t = next;
    head = ahead;
  }
  ${writeSums('k', sizes, {
    factor: `(uniforms.scale / ${SLOPE_SCALE}.0)`,
    write: (row, d, value) => `writeDqkv(sequence.start + ${row}, 1u, keyHead, ${d}, ${value});`,
  })}
  ${writeSums('v', sizes, {
    factor: `(1.0 / ${SLOPE_SCALE}.0)`,
    write: (row, d, value) => `writeDqkv(sequence.start + ${row}, 2u, keyHead, ${d}, ${value});`,
  })}
}`,
    };
  },
);
