import { PHILOX } from '../../webgpu/philox';
import { shaderVariants } from '../../webgpu/shader';
import { FRAGMENT, LANES, MATRIX_EXTENSIONS, MATRIX_TYPES, SLOPE_SCALE, times } from '../../webgpu/subgroup-matrix';
import { hasLoraMatrices } from './webgpu-matrices';
import { activationFunction } from '../activation/wgsl';
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

/** Rows from which two fragments a workgroup still give a large GPU two workgroups a processor. */
const TALL_FROM = 8192;
/** Workgroups that keep a large GPU busy. */
const BUSY = 192;

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
  let parts = 1;
  while (parts < 8 && parts * 2 <= steps && tiles * parts < BUSY) parts *= 2;
  const stepsAPart = Math.ceil(steps / parts);
  return { fragments, parts: Math.ceil(steps / stepsAPart), share: stepsAPart * tileDepth(fragments) };
}

export const innerRows = (fragments: InnerFragments): number => FRAGMENT * fragments;

/** Ranks of the factor that a workgroup multiplies. */
export const INNER_RANKS = FRAGMENT;

/**
 * dropout(activation(x))·Aᵀ with few columns on subgroup matrices, f16 factors and f32 sums: tall products that read x once
 * and are bound by that. A workgroup's subgroups share its rows and the depth between two barriers, and add their sums
 * at the end; what the next barrier needs is read while this one multiplies. Eight neighbouring values a thread are one
 * draw of dropout and one store into f16.
 */
export const matrixInnerShader = shaderVariants(
  'lora inner matrix',
  ({
    fragments,
    factorTransposed,
    activation,
    dropout,
    writes,
  }: InnerShaderConstants & { fragments: InnerFragments }) => {
    const rows = innerRows(fragments);
    const depth = tileDepth(fragments);
    const leftScale = factorTransposed ? SLOPE_SCALE : 1;
    // In vec4u, eight f16; one more a row spreads eight rows over all banks.
    const rowUnits = depth / 8;
    const pitch = rowUnits + 1;
    const factorPitch = factorTransposed ? INNER_RANKS / 8 + 1 : pitch;
    const leftUnits = (rows * rowUnits) / THREADS;
    const factorUnits = (INNER_RANKS * rowUnits) / THREADS;
    const keeps = dropout && writes !== 'dropped';
    const load = /* wgsl */ `
    ${times(
      leftUnits,
      (u) => /* wgsl */ `
    inside${u} = depth0 + column${u} < end;
    low${u} = vec4f(); high${u} = vec4f();
    if (inside${u}) {
      at${u} = (xRow${u} * uniforms.depth + depth0 + column${u}) / 4u;
      low${u} = x[at${u}];
      high${u} = x[at${u} + 1u];
    }`,
    ).join('')}
    ${times(
      factorUnits,
      (u) => /* wgsl */ `
    factorLow${u} = vec4f(); factorHigh${u} = vec4f();
    if (depth0 + factorStep${u} < end && factorRank${u} < uniforms.rank) {
      let at = ${
        factorTransposed
          ? `((depth0 + factorStep${u}) * uniforms.rank + factorRank${u})`
          : `(factorRank${u} * uniforms.depth + depth0 + factorStep${u})`
      } / 4u;
      factorLow${u} = factor[at];
      factorHigh${u} = factor[at + 1u];
    }`,
    ).join('')}`;
    const write = (u: number): string =>
      `if (writer && inside${u} && row0 + line${u} < uniforms.rows) { written[at${u}] = low${u}; written[at${u} + 1u] = high${u}; }`;
    const store = /* wgsl */ `
    ${times(
      leftUnits,
      (u) => /* wgsl */ `{
      ${activation === 'linear' ? '' : `low${u} = activate(low${u}); high${u} = activate(high${u});`}
      ${writes === 'activated' ? write(u) : ''}
      ${
        dropout
          ? /* wgsl */ `let words = dropoutWords(random, at${u} / 2u, uniforms.site);
      let keepLow = dropoutBits(words.xy) >= vec4u(uniforms.threshold);
      let keepHigh = dropoutBits(words.zw) >= vec4u(uniforms.threshold);
      low${u} = select(vec4f(), low${u} * uniforms.keepScale, keepLow);
      high${u} = select(vec4f(), high${u} * uniforms.keepScale, keepHigh);`
          : ''
      }
      ${writes === 'dropped' ? write(u) : ''}
      ${
        keeps
          ? /* wgsl */ `let byte = dot(select(vec4u(), vec4u(1u, 2u, 4u, 8u), keepLow) + select(vec4u(), vec4u(16u, 32u, 64u, 128u), keepHigh), vec4u(1u));
      var word = byte << ((thread & 3u) * 8u);
      word |= subgroupShuffleXor(word, 1u);
      word |= subgroupShuffleXor(word, 2u);
      if (writer && (thread & 3u) == 0u && inside${u} && row0 + line${u} < uniforms.rows) { keepBits[at${u} / 8u] = word; }`
          : ''
      }
      left[line${u} * ${pitch}u + column${u} / 8u] = pack8(low${u}${leftScale === 1 ? '' : ` * ${leftScale}.0`}, high${u}${leftScale === 1 ? '' : ` * ${leftScale}.0`});
    }`,
    ).join('\n    ')}
    ${times(factorUnits, (u) => `right[factorTo${u}] = pack8(factorLow${u}, factorHigh${u});`).join('\n    ')}`;
    let binding = 3;
    const declare = (text: string): string => `@group(0) @binding(${binding++}) var<storage, ${text};`;
    return /* wgsl */ `
${MATRIX_EXTENSIONS}
struct Uniforms { rows: u32, depth: u32, rank: u32, share: u32, scale: f32, threshold: u32, site: u32, keepScale: f32 }
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> factor: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> inner: array<vec4f>;
${keeps ? declare('read_write> keepBits: array<u32>') : ''}
${writes === 'nothing' ? '' : declare('read_write> written: array<vec4f>')}
${dropout ? `${declare('read> random: vec4i')}${PHILOX}` : ''}
@group(0) @binding(${binding}) var<uniform> uniforms: Uniforms;
${activation === 'linear' ? '' : activationFunction('activate', activation, 'value')}
${MATRIX_TYPES}
var<workgroup> left: array<vec4u, ${rows * pitch}>;
var<workgroup> right: array<vec4u, ${factorTransposed ? depth * factorPitch : INNER_RANKS * factorPitch}>;
var<workgroup> sums: array<vec4f, ${SUBGROUPS * 64}>;
@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  let subgroup = thread / ${LANES}u;
  let row0 = workgroup.x * ${rows}u;
  let rank0 = workgroup.y * ${INNER_RANKS}u;
  let writer = workgroup.y == 0u;
  let start = workgroup.z * uniforms.share;
  let end = min(start + uniforms.share, uniforms.depth);
  let fragment = subgroup % ${fragments}u;
  let step = (subgroup / ${fragments}u) * ${SUBGROUP_DEPTH}u;
  ${times(
    leftUnits,
    (u) => /* wgsl */ `
  let line${u} = (thread + ${u * THREADS}u) / ${rowUnits}u;
  let column${u} = ((thread + ${u * THREADS}u) % ${rowUnits}u) * 8u;
  let xRow${u} = min(row0 + line${u}, uniforms.rows - 1u);
  var at${u} = 0u; var inside${u} = false;
  var low${u}: vec4f; var high${u}: vec4f;`,
  ).join('')}
  ${times(factorUnits, (u) => {
    const unit = `(thread + ${u * THREADS}u)`;
    return factorTransposed
      ? /* wgsl */ `
  let factorStep${u} = ${unit} / ${INNER_RANKS / 8}u;
  let factorRank${u} = rank0 + (${unit} % ${INNER_RANKS / 8}u) * 8u;
  let factorTo${u} = factorStep${u} * ${factorPitch}u + ${unit} % ${INNER_RANKS / 8}u;
  var factorLow${u}: vec4f; var factorHigh${u}: vec4f;`
      : /* wgsl */ `
  let factorStep${u} = (${unit} % ${rowUnits}u) * 8u;
  let factorRank${u} = rank0 + ${unit} / ${rowUnits}u;
  let factorTo${u} = (${unit} / ${rowUnits}u) * ${factorPitch}u + ${unit} % ${rowUnits}u;
  var factorLow${u}: vec4f; var factorHigh${u}: vec4f;`;
  }).join('')}
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
}`;
  },
);
