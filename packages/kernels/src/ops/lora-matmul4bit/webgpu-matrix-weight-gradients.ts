// Idea: both gradients in one pass over x and dy, rows as the depth.
// Cost: 4 bytes a value of x, 2 of dy in float16, an eighth of a byte of keep bits; 2 r operations a value of each.
// Measured: 91 us at 8,192 rows of 1,024 to 3,072, 173 with gelu of 4,096 to 1,024 on an H200, both 0.9 TB/s (bench/results/step.json, kernels, 64x128).

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
import { KEPT_OF } from '../../products/additions';
import { weightGradientLayout } from './weight-gradient-layout';
import type { ActivationKind } from '../../formats/activations';
import { activationFunction } from '../../webgpu/activation';

/** Subgroups of a workgroup; they share its rows. */
const SUBGROUPS = 8;
const THREADS = SUBGROUPS * LANES;
/** Columns of a long factor that a workgroup takes, and rows between two barriers. */
export const GRADIENT_COLUMNS = 32;
const ROWS = SUBGROUPS * FRAGMENT;
/** Ranks that a workgroup takes. */
export const GRADIENT_RANKS = FRAGMENT;

/** In vec4u, eight f16; one more a row spreads eight rows over all banks. */
const LONG_UNITS = GRADIENT_COLUMNS / 8;
const LONG_PITCH = LONG_UNITS + 1;
const THIN_PITCH = GRADIENT_RANKS / 8 + 1;
const ROUNDS = (ROWS * LONG_UNITS) / THREADS;
/** vec4 of a subgroup's sums. */
const SUMS = (GRADIENT_RANKS * GRADIENT_COLUMNS) / 4;
/** Where the thin factor's rows begin behind the long one's; at the end the subgroups' sums take the place of both. */
const THIN_AT = ROWS * LONG_PITCH;
const TILE = Math.max(THIN_AT + ROWS * THIN_PITCH, SUBGROUPS * SUMS);

export type WeightGradientConstants = Readonly<{
  activation: ActivationKind;
  masked: boolean;
  /** Parts that the two thin factors are in. */
  innerParts: number;
  dInnerParts: number;
  /** dy comes in f16, times SLOPE_SCALE. */
  halfSlope: boolean;
}>;

/**
 * Both products of rows with rows, thinᵀ · long, on subgroup matrices, f16 factors and f32 sums: the first workgroups
 * take x and give A's gradient, the others take dy and give B's. Each reads 32 columns of its long factor once, each
 * subgroup multiplies other rows, and what the next barrier needs is read while this one multiplies.
 */
export const matrixWeightGradientShader = shaderVariants(
  'lora weight gradients matrix',
  ({ activation, masked, innerParts, dInnerParts, halfSlope }: WeightGradientConstants) => {
    const thinOf = (name: string, parts: number): string => /* wgsl */ `
      ${times(parts, (part) => `thinLow${part} = ${name}[thinAt + ${part}u * thinPitch]; thinHigh${part} = ${name}[thinAt + ${part}u * thinPitch + 1u];`).join(' ')}`;
    const parts = Math.max(innerParts, dInnerParts);
    // A workgroup reads the parts of one of the two; what it does not read stays zero.
    const sumOf = (name: string): string => `(${times(parts, (part) => `${name}${part}`).join(' + ')})`;
    // Rows behind the end repeat the last one; they become zeros on their way to workgroup memory.
    const quadAt = (quad: string): string =>
      `(min(row0 + ${quad} / ${2 * LONG_UNITS}u, end - 1u) * width + column0) / 4u + ${quad} % ${2 * LONG_UNITS}u`;
    const unitAt = (u: number): string =>
      `(min(row0 + (thread + ${u * THREADS}u) / ${LONG_UNITS}u, end - 1u) * width + column0) / 8u + (thread + ${u * THREADS}u) % ${LONG_UNITS}u`;
    const load = /* wgsl */ `
    thinAt = (min(row0 + thinLine, end - 1u) * uniforms.rank + min(thinRank, uniforms.rank - 8u)) / 4u;
    if (ofInputs) {
      ${times(
        ROUNDS,
        (u) =>
          `{ let at = ${quadAt(pairFirst(u, THREADS))}; let next = ${quadAt(pairSecond(u, THREADS))}; first${u} = x[at]; second${u} = x[next]; ${
            masked ? `wordFirst${u} = keepBits[at / 8u]; wordSecond${u} = keepBits[next / 8u];` : ''
          } }`,
      ).join('\n      ')}
      ${thinOf('dInner', dInnerParts)}
    } else {
      ${times(ROUNDS, (u) =>
        halfSlope
          ? `half${u} = dy[${unitAt(u)}];`
          : `first${u} = dy[${quadAt(pairFirst(u, THREADS))}]; second${u} = dy[${quadAt(pairSecond(u, THREADS))}];`,
      ).join('\n      ')}
      ${thinOf('inner', innerParts)}
    }`;
    const taken = (value: string): string => (activation === 'linear' ? value : `activate(${value})`);
    const kept = (name: string, word: string, quad: string): string =>
      masked ? `select(vec4f(), ${taken(name)}, keptOf(${word}, ${quad}))` : taken(name);
    const paired = (u: number, first: string, second: string): string => /* wgsl */ `
      let unit = ${pairUnit(u, THREADS)};
      tile[(unit / ${LONG_UNITS}u) * ${LONG_PITCH}u + unit % ${LONG_UNITS}u] =
        select(vec4u(), pairUp(pack4(${first}), pack4(${second}), odd), row0 + unit / ${LONG_UNITS}u < end);`;
    const store = /* wgsl */ `
    if (ofInputs) {
      ${times(
        ROUNDS,
        (u) => /* wgsl */ `{
      // Columns begin at a multiple of 32, eight vec4, so a vec4's place in its word of keep bits is its place in the row.
      ${paired(u, kept(`first${u}`, `wordFirst${u}`, pairFirst(u, THREADS)), kept(`second${u}`, `wordSecond${u}`, pairSecond(u, THREADS)))}
      }`,
      ).join('\n      ')}
    } else {
      ${times(ROUNDS, (u) =>
        halfSlope
          ? /* wgsl */ `{
      let unit = thread + ${u * THREADS}u;
      tile[(unit / ${LONG_UNITS}u) * ${LONG_PITCH}u + unit % ${LONG_UNITS}u] = select(vec4u(), half${u}, row0 + unit / ${LONG_UNITS}u < end);
      }`
          : `{ ${paired(u, scaled(`first${u}`, SLOPE_SCALE), scaled(`second${u}`, SLOPE_SCALE))} }`,
      ).join('\n      ')}
    }
    tile[thinLine * ${THIN_PITCH}u + thread % 2u + ${THIN_AT}u] = select(
      vec4u(),
      pack8(${sumOf('thinLow')} * thinScale, ${sumOf('thinHigh')} * thinScale),
      row0 + thinLine < end && thinRank < uniforms.rank,
    );`;
    const io = weightGradientLayout({ masked, halfSlope });
    return {
      layout: io,
      code: /* wgsl */ `
${MATRIX_EXTENSIONS}
${io.wgsl}
${masked ? KEPT_OF : ''}
${activation === 'linear' ? '' : activationFunction('activate', activation, 'value')}
${MATRIX_TYPES}${PAIRS}
var<workgroup> tile: array<vec4u, ${TILE}>;
@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  let subgroup = thread / ${LANES}u;
  let lane = thread % ${LANES}u;
  let odd = (lane & 1u) == 1u;
  let ofInputs = workgroup.x < uniforms.inputBlocks;
  let column0 = select(workgroup.x - uniforms.inputBlocks, workgroup.x, ofInputs) * ${GRADIENT_COLUMNS}u;
  let width = select(uniforms.outputs, uniforms.inputs, ofInputs);
  // The gradient is scaled up, whichever of the two factors it is.
  let thinScale = select(1.0, ${SLOPE_SCALE}.0, ofInputs);
  let rank0 = workgroup.y * ${GRADIENT_RANKS}u;
  let start = workgroup.z * uniforms.share;
  let end = min(start + uniforms.share, uniforms.rows);
  let thinLine = thread / 2u;
  let thinRank = rank0 + (thread % 2u) * 8u;
  let thinPitch = uniforms.rows * uniforms.rank / 4u;
  var thinAt = 0u;
  ${times(parts, (part) => `var thinLow${part} = vec4f(); var thinHigh${part} = vec4f();`).join(' ')}
  ${times(ROUNDS, (u) => `var first${u}: vec4f; var second${u}: vec4f; ${masked ? `var wordFirst${u} = 0u; var wordSecond${u} = 0u;` : ''} ${halfSlope ? `var half${u}: vec4u;` : ''}`).join('\n  ')}
  var sum0: Sum; var sum1: Sum;
  var row0 = start;
  ${load}
  loop {
    ${store}
    workgroupBarrier();
    row0 += ${ROWS}u;
    if (row0 < end) {
      ${load}
    }
    let a = subgroupMatrixLoad<Left, col_major>(&tile, subgroup * ${FRAGMENT * THIN_PITCH}u + ${THIN_AT}u, ${THIN_PITCH}u);
    ${[0, 1]
      .map(
        (j) =>
          `sum${j} = subgroupMatrixMultiplyAccumulate(a, subgroupMatrixLoad<Right, row_major>(&tile, subgroup * ${FRAGMENT * LONG_PITCH}u + ${2 * j}u, ${LONG_PITCH}u), sum${j});`,
      )
      .join('\n    ')}
    workgroupBarrier();
    if (row0 >= end) { break; }
  }
  ${[0, 1].map((j) => `subgroupMatrixStore<row_major>(&tile, subgroup * ${SUMS}u + ${4 * j}u, sum${j}, ${GRADIENT_COLUMNS / 4}u);`).join(' ')}
  workgroupBarrier();
  for (var i = thread; i < ${4 * SUMS}u; i += ${THREADS}u) {
    // Neighbouring threads write neighbouring values: along a row of A's gradient, or of B's.
    let rank = select(i % ${GRADIENT_RANKS}u, i / ${GRADIENT_COLUMNS}u, ofInputs);
    let place = select(i / ${GRADIENT_RANKS}u, i % ${GRADIENT_COLUMNS}u, ofInputs);
    var total = 0.0;
    for (var s = 0u; s < ${SUBGROUPS}u; s++) { total += bitcast<f32>(tile[s * ${SUMS}u + rank * ${GRADIENT_COLUMNS / 4}u + place / 4u][place & 3u]); }
    if (rank0 + rank >= uniforms.rank) { continue; }
    if (ofInputs) {
      da[(workgroup.z * uniforms.rank + rank0 + rank) * uniforms.inputs + column0 + place] = total * (uniforms.scaleA / ${SLOPE_SCALE}.0);
    } else {
      db[(workgroup.z * uniforms.outputs + column0 + place) * uniforms.rank + rank0 + rank] = total * (uniforms.scaleB / ${SLOPE_SCALE}.0);
    }
  }
}`,
    };
  },
);
