import { shaderVariants } from '../../webgpu/shader';
import { FRAGMENT, LANES, MATRIX_EXTENSIONS, MATRIX_TYPES, SLOPE_SCALE, times } from '../../webgpu/subgroup-matrix';
import type { ActivationKind } from '../activation/types';
import { activationFunction } from '../activation/wgsl';

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
const UNITS = (ROWS * LONG_UNITS) / THREADS;
/** vec4 of a subgroup's sums. */
const SUMS = (GRADIENT_RANKS * GRADIENT_COLUMNS) / 4;

export type WeightGradientConstants = Readonly<{
  activation: ActivationKind;
  masked: boolean;
  /** Parts that the two thin factors are in. */
  innerParts: number;
  dInnerParts: number;
}>;

/**
 * Both products of rows with rows, thinᵀ · long, on subgroup matrices, f16 factors and f32 sums: the first workgroups
 * take x and give A's gradient, the others take dy and give B's. Each reads 32 columns of its long factor once, each
 * subgroup multiplies other rows, and what the next barrier needs is read while this one multiplies.
 */
export const matrixWeightGradientShader = shaderVariants(
  'lora weight gradients matrix',
  ({ activation, masked, innerParts, dInnerParts }: WeightGradientConstants) => {
    const thinOf = (name: string, parts: number): string => /* wgsl */ `
      ${times(parts, (part) => `thinLow += ${name}[at + ${part}u * pitch]; thinHigh += ${name}[at + ${part}u * pitch + 1u];`).join(' ')}`;
    const load = /* wgsl */ `
    ${times(
      UNITS,
      (u) => /* wgsl */ `
    low${u} = vec4f(); high${u} = vec4f();
    if (row0 + line${u} < end) {
      at${u} = ((row0 + line${u}) * width + column) / 4u;
      if (ofInputs) { low${u} = x[at${u}]; high${u} = x[at${u} + 1u]; ${masked ? `byte${u} = keepBits[at${u} / 8u] >> ((at${u} & 6u) * 4u);` : ''} }
      else { low${u} = dy[at${u}]; high${u} = dy[at${u} + 1u]; }
    }`,
    ).join('')}
    thinLow = vec4f(); thinHigh = vec4f();
    if (row0 + thinLine < end && thinRank < uniforms.rank) {
      let at = ((row0 + thinLine) * uniforms.rank + thinRank) / 4u;
      let pitch = uniforms.rows * uniforms.rank / 4u;
      if (ofInputs) {${thinOf('dInner', dInnerParts)} } else {${thinOf('inner', innerParts)} }
    }`;
    const keep = (value: string, u: number, shift: number): string =>
      masked
        ? `select(vec4f(), ${value}, ((vec4u(byte${u}) >> vec4u(${[0, 1, 2, 3].map((e) => `${shift + e}u`).join(', ')})) & vec4u(1u)) != vec4u(0u))`
        : value;
    const taken = (value: string): string => (activation === 'linear' ? value : `activate(${value})`);
    const store = /* wgsl */ `
    ${times(
      UNITS,
      (u) => /* wgsl */ `
    if (ofInputs) {
      low${u} = ${keep(taken(`low${u}`), u, 0)};
      high${u} = ${keep(taken(`high${u}`), u, 4)};
    }
    long[line${u} * ${LONG_PITCH}u + unit] = pack8(low${u} * longScale, high${u} * longScale);`,
    ).join('')}
    thin[thinLine * ${THIN_PITCH}u + thread % 2u] = pack8(thinLow * thinScale, thinHigh * thinScale);`;
    return /* wgsl */ `
${MATRIX_EXTENSIONS}
struct Uniforms { rows: u32, inputs: u32, outputs: u32, rank: u32, scaleA: f32, scaleB: f32, share: u32, inputBlocks: u32 }
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
@group(0) @binding(2) var<storage, read> inner: array<vec4f>;
@group(0) @binding(3) var<storage, read> dInner: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> da: array<f32>;
@group(0) @binding(5) var<storage, read_write> db: array<f32>;
${masked ? '@group(0) @binding(6) var<storage, read> keepBits: array<u32>;' : ''}
@group(0) @binding(${masked ? 7 : 6}) var<uniform> uniforms: Uniforms;
${activation === 'linear' ? '' : activationFunction('activate', activation, 'value')}
${MATRIX_TYPES}
var<workgroup> long: array<vec4u, ${ROWS * LONG_PITCH}>;
var<workgroup> thin: array<vec4u, ${ROWS * THIN_PITCH}>;
var<workgroup> sums: array<vec4f, ${SUBGROUPS * SUMS}>;
@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  let subgroup = thread / ${LANES}u;
  let ofInputs = workgroup.x < uniforms.inputBlocks;
  let column0 = select(workgroup.x - uniforms.inputBlocks, workgroup.x, ofInputs) * ${GRADIENT_COLUMNS}u;
  let width = select(uniforms.outputs, uniforms.inputs, ofInputs);
  // The gradient is scaled up, whichever of the two factors it is.
  let longScale = select(${SLOPE_SCALE}.0, 1.0, ofInputs);
  let thinScale = select(1.0, ${SLOPE_SCALE}.0, ofInputs);
  let rank0 = workgroup.y * ${GRADIENT_RANKS}u;
  let start = workgroup.z * uniforms.share;
  let end = min(start + uniforms.share, uniforms.rows);
  let unit = thread % ${LONG_UNITS}u;
  let column = column0 + unit * 8u;
  let thinLine = thread / 2u;
  let thinRank = rank0 + (thread % 2u) * 8u;
  var thinLow: vec4f; var thinHigh: vec4f;
  ${times(
    UNITS,
    (u) => /* wgsl */ `
  let line${u} = (thread + ${u * THREADS}u) / ${LONG_UNITS}u;
  var at${u} = 0u; var low${u}: vec4f; var high${u}: vec4f; ${masked ? `var byte${u} = 0u;` : ''}`,
  ).join('')}
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
    let a = subgroupMatrixLoad<Left, col_major>(&thin, subgroup * ${FRAGMENT * THIN_PITCH}u, ${THIN_PITCH}u);
    ${[0, 1]
      .map(
        (j) =>
          `sum${j} = subgroupMatrixMultiplyAccumulate(a, subgroupMatrixLoad<Right, row_major>(&long, subgroup * ${FRAGMENT * LONG_PITCH}u + ${2 * j}u, ${LONG_PITCH}u), sum${j});`,
      )
      .join('\n    ')}
    workgroupBarrier();
    if (row0 >= end) { break; }
  }
  ${[0, 1].map((j) => `subgroupMatrixStore<row_major>(&sums, subgroup * ${SUMS}u + ${4 * j}u, sum${j}, ${GRADIENT_COLUMNS / 4}u);`).join(' ')}
  workgroupBarrier();
  for (var i = thread; i < ${4 * SUMS}u; i += ${THREADS}u) {
    // Neighbouring threads write neighbouring values: along a row of A's gradient, or of B's.
    let rank = select(i % ${GRADIENT_RANKS}u, i / ${GRADIENT_COLUMNS}u, ofInputs);
    let place = select(i / ${GRADIENT_RANKS}u, i % ${GRADIENT_COLUMNS}u, ofInputs);
    var total = 0.0;
    for (var s = 0u; s < ${SUBGROUPS}u; s++) { total += sums[s * ${SUMS}u + rank * ${GRADIENT_COLUMNS / 4}u + place / 4u][place & 3u]; }
    if (rank0 + rank >= uniforms.rank) { continue; }
    if (ofInputs) {
      da[(workgroup.z * uniforms.rank + rank0 + rank) * uniforms.inputs + column0 + place] = total * (uniforms.scaleA / ${SLOPE_SCALE}.0);
    } else {
      db[(workgroup.z * uniforms.outputs + column0 + place) * uniforms.rank + rank0 + rank] = total * (uniforms.scaleB / ${SLOPE_SCALE}.0);
    }
  }
}`;
  },
);
