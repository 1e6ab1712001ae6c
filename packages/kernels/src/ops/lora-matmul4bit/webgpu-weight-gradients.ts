// Idea: both gradients in one pass over x and dy, rows as the depth.
// Cost: 4 bytes a value of x and of dy, an eighth of a byte of keep bits; 2 r operations a value of each.

import type { WebgpuKernel } from '../../engine/op';
import { weightGradientLayout } from './weight-gradient-layout';
import type { ActivationKind } from '../../formats/activations';
import { activationFunction } from '../../webgpu/activation';
import { dispatch, makeOutput } from '../../webgpu/dispatch';
import { shaderVariants } from '../../webgpu/shader';
import { addSplits } from '../../products/split-sum';
import { GRADIENT_COLUMNS, GRADIENT_RANKS, matrixWeightGradientShader } from './webgpu-matrix-weight-gradients';
import { hasLoraMatrices } from './webgpu-matrices';
import type { WeightGradientAttributes, WeightGradientInputs, WeightGradientOutputs } from './types';

const THREADS = 256;
/** A workgroup takes 64 columns of a long factor, four a thread, and 16 threads share the rows. */
const COLUMNS = 64;
const QUADS = COLUMNS / 4;
const GROUPS = THREADS / QUADS;
/** Rows a thread has on their way from memory. */
const ROWS_AT_ONCE = 4;
/** Rows that one workgroup sums: fewer would cost more in partial sums than they gain. */
const SHARE = 512;

/**
 * Both products of rows with rows, long · thinᵀ, where there are no subgroup matrices: the first workgroups take x and
 * give A's gradient, the others take dy and give B's. A thread keeps four columns by `ranks` sums and reads its long
 * factor once, in float32.
 */
const shader = shaderVariants(
  'lora weight gradients',
  ({ ranks, masked, activation }: { ranks: number; masked: boolean; activation: ActivationKind }) => {
    const quads = Array.from({ length: ranks / 4 }, (_, q) => q);
    const quarters = [0, 1, 2, 3];
    // Several rows at a time, so that a row's values need not wait for those of the row before.
    const atOnce = Array.from({ length: ROWS_AT_ONCE }, (_, i) => i);
    const loop = (thin: string, value: (at: string) => string): string => /* wgsl */ `
    for (var row0 = start + group; row0 < end; row0 += ${GROUPS * ROWS_AT_ONCE}u) {
      ${atOnce
        .map(
          (i) => /* wgsl */ `let row${i} = min(row0 + ${i * GROUPS}u, end - 1u);
      let value${i} = select(vec4f(), ${value(`(row${i} * width + column) / 4u`)}, row0 + ${i * GROUPS}u < end);`,
        )
        .join('\n      ')}
      ${atOnce
        .flatMap((i) =>
          quads.map(
            (q) =>
              `{ let p = ${thin}[(row${i} * uniforms.rank + rank0) / 4u + ${q}u]; ${quarters.map((e) => `sum${4 * q + e} += value${i} * p[${e}];`).join(' ')} }`,
          ),
        )
        .join('\n      ')}
    }`;
    const io = weightGradientLayout({ masked, halfSlope: false });
    return {
      layout: io,
      code: /* wgsl */ `
${io.wgsl}
var<workgroup> parts: array<vec4f, ${GROUPS * 4 * QUADS}>;
${activation === 'linear' ? '' : activationFunction('activate', activation, 'value')}
fn taken(at: u32) -> vec4f { return ${activation === 'linear' ? 'x[at]' : 'activate(x[at])'}; }
${
  masked
    ? /* wgsl */ `
fn kept(at: u32) -> vec4f {
  let bits = (vec4u(keepBits[at >> 3u] >> ((at & 7u) * 4u)) >> vec4u(0u, 1u, 2u, 3u)) & vec4u(1u);
  return select(vec4f(), taken(at), bits != vec4u(0u));
}`
    : ''
}
@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
  let ofInputs = workgroup.x < uniforms.inputBlocks;
  let block = select(workgroup.x - uniforms.inputBlocks, workgroup.x, ofInputs);
  let width = select(uniforms.outputs, uniforms.inputs, ofInputs);
  let quad = lane % ${QUADS}u;
  let group = lane / ${QUADS}u;
  let column = block * ${COLUMNS}u + quad * 4u;
  let rank0 = workgroup.y * ${ranks}u;
  let start = workgroup.z * uniforms.share;
  let end = select(start, min(start + uniforms.share, uniforms.rows), column < width);
  ${quads.flatMap((q) => quarters.map((e) => `var sum${4 * q + e} = vec4f();`)).join(' ')}
  if (ofInputs) {
    ${loop('dInner', (at) => `${masked ? 'kept' : 'taken'}(${at})`)}
  } else {
    ${loop('inner', (at) => `dy[${at}]`)}
  }
  let line = lane / ${COLUMNS}u;
  let place = block * ${COLUMNS}u + lane % ${COLUMNS}u;
  ${quads
    .map(
      (q) => /* wgsl */ `
  ${quarters.map((e) => `parts[(group * 4u + ${e}u) * ${QUADS}u + quad] = sum${4 * q + e};`).join(' ')}
  workgroupBarrier();
  {
    var total = 0.0;
    for (var g = 0u; g < ${GROUPS}u; g++) { total += parts[(g * 4u + line) * ${QUADS}u + (lane % ${COLUMNS}u) / 4u][lane & 3u]; }
    let rank = rank0 + ${4 * q}u + line;
    if (place < width) {
      if (ofInputs) {
        da[(workgroup.z * uniforms.rank + rank) * uniforms.inputs + place] = total * uniforms.scaleA;
      } else {
        db[(workgroup.z * uniforms.outputs + place) * uniforms.rank + rank] = total * uniforms.scaleB;
      }
    }
  }
  workgroupBarrier();`,
    )
    .join('')}
}`,
    };
  },
);

/** Workgroups of the variant on subgroup matrices that keep a large GPU busy. */
const BUSY = 256;
/**
 * Fewest rows of one that shares them: both sums of shares are dispatches of their own. On an H200, 2,048 rows of c_attn,
 * c_proj and the MLP's projection took 17, 16 and 54 us in one share and 16, 10 and 50 in two; 8,192 rows 73, 72 and 205 in
 * one, 69, 39 and 181 in two.
 */
const SHORTEST_SHARE = 2048;

export const webgpuWeightGradients: WebgpuKernel<
  WeightGradientInputs,
  WeightGradientAttributes,
  WeightGradientOutputs
> = ({ x, dy, inner, dInner, keepBits }, { activation, scaling, keepScale }, backend) => {
  const [rows = 0, inputs = 0] = x.shape;
  const halfSlope = dy.dtype === 'int32';
  const outputs = dy.shape[1]! * (halfSlope ? 2 : 1);
  const [innerParts = 1, , rank = 0] = inner.shape;
  const masked = keepBits !== undefined;
  const matrices = hasLoraMatrices(backend.device);
  const ranks = matrices ? GRADIENT_RANKS : rank % 16 === 0 ? 16 : 8;
  const columns = matrices ? GRADIENT_COLUMNS : COLUMNS;
  const blocks = Math.ceil(inputs / columns) + Math.ceil(outputs / columns);
  const splits = matrices
    ? Math.max(1, Math.min(Math.ceil(BUSY / blocks), Math.floor(rows / SHORTEST_SHARE)))
    : Math.max(1, Math.ceil(rows / SHARE));
  const da = makeOutput(backend, [rank, inputs]);
  const db = makeOutput(backend, [outputs, rank]);
  const split = splits > 1;
  const [partialA, partialB] = split
    ? [makeOutput(backend, [splits, rank, inputs]), makeOutput(backend, [splits, outputs, rank])]
    : [da, db];
  dispatch(backend, {
    shader: matrices
      ? matrixWeightGradientShader({ activation, masked, innerParts, dInnerParts: dInner.shape[0]!, halfSlope })
      : shader({ ranks, masked, activation }),
    buffers: { x, dy, inner, dInner, da: partialA, db: partialB, keepBits },
    uniforms: {
      ...{ rows, inputs, outputs, rank, scaleA: masked ? keepScale : 1, scaleB: scaling },
      ...{ share: Math.ceil(rows / splits), inputBlocks: Math.ceil(inputs / columns) },
    },
    workgroups: [blocks, Math.ceil(rank / ranks), splits],
  });
  if (split) {
    addSplits(backend, { partial: partialA, product: da });
    addSplits(backend, { partial: partialB, product: db });
    backend.disposeData(partialA.dataId);
    backend.disposeData(partialB.dataId);
  }
  return { a: da, b: db };
};
