import { util } from '@tensorflow/tfjs-core';
import type { OpDefinition } from '../../engine/op';
import { dropoutNumbers } from '../../random/dropout-stream';
import { dispatch, makeOutput } from '../../webgpu/dispatch';
import { PHILOX } from '../../webgpu/philox';
import { shaderVariants } from '../../webgpu/shader';
import { f32, u32 } from '../../webgpu/uniforms';
import { keepWords } from './keep-bits';
import type { InnerAttributes, InnerInputs } from './types';

const THREADS = 256;
/** Rows of x, and of the factor, that a workgroup multiplies: a thread has four by four of them. */
const ROWS = 16;
/** Depth of the tiles, in vec4. */
const DEPTH = 32;
/** vec4s of a tile that a thread brings. */
const UNITS = (ROWS * DEPTH) / THREADS;

/**
 * x·Aᵀ with few columns: tall products that read x once. The 16 sums of a thread run over every 16th part of the
 * depth, and the parts are added at the end, so that all 256 threads have work at 16 x 16 values. The next tiles are
 * on their way from memory while these are multiplied. vec4s of a tile are swapped by row, which spreads what a
 * subgroup reads at a time over all banks. In float32: LoRA's small gradients pass through here.
 */
const shader = shaderVariants(
  'lora inner',
  ({ factorTransposed, dropout }: { factorTransposed: boolean; dropout: boolean }) => {
    const units = Array.from({ length: UNITS }, (_, u) => u);
    const quarters = [0, 1, 2, 3];
    const load = /* wgsl */ `
    ${units
      .map(
        (u) => /* wgsl */ `
    x${u} = vec4f();
    if (depth0 + step${u} < depth) { x${u} = x[xRow${u} * depth + depth0 + step${u}]; }
    factor${u} = vec4f();
    ${
      factorTransposed
        ? `if ((depth0 * 4u + factorStep${u}) < uniforms.depth && factorAt${u} < uniforms.rank) {
      factor${u} = factor[((depth0 * 4u + factorStep${u}) * uniforms.rank + factorAt${u}) / 4u];
    }`
        : `if (depth0 + step${u} < depth && rank0 + line${u} < uniforms.rank) {
      factor${u} = factor[(rank0 + line${u}) * depth + depth0 + step${u}];
    }`
    }`,
      )
      .join('')}`;
    const store = units
      .map(
        (u) => /* wgsl */ `
    ${
      dropout
        ? `let keep${u} = dropoutWords(random, xRow${u} * depth + depth0 + step${u}, uniforms.site) >= vec4u(uniforms.threshold);
    x${u} = select(vec4f(), x${u} * uniforms.keepScale, keep${u});
    nibbles[unit${u}] = dot(select(vec4u(), vec4u(1u, 2u, 4u, 8u), keep${u}), vec4u(1u));`
        : ''
    }
    left[place(line${u}, step${u})] = x${u};
    ${
      factorTransposed
        ? quarters
            .map(
              (e) =>
                `right[place(factorAt${u} - rank0 + ${e}u, factorStep${u} / 4u)][factorStep${u} % 4u] = factor${u}[${e}];`,
            )
            .join(' ')
        : `right[place(line${u}, step${u})] = factor${u};`
    }`,
      )
      .join('');
    return /* wgsl */ `
struct Uniforms { rows: u32, depth: u32, rank: u32, scale: f32, threshold: u32, site: u32, keepScale: f32 }
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> factor: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> inner: array<f32>;
${
  dropout
    ? `@group(0) @binding(3) var<storage, read_write> keepBits: array<u32>;
@group(0) @binding(4) var<storage, read> random: vec4i;
@group(0) @binding(5) var<uniform> uniforms: Uniforms;
${PHILOX}
var<workgroup> nibbles: array<u32, ${ROWS * DEPTH}>;`
    : '@group(0) @binding(3) var<uniform> uniforms: Uniforms;'
}
var<workgroup> left: array<vec4f, ${ROWS * DEPTH}>;
var<workgroup> right: array<vec4f, ${ROWS * DEPTH}>;

fn place(row: u32, step: u32) -> u32 { return row * ${DEPTH}u + (step ^ ((row >> 2u) << 1u)); }

@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
  let depth = uniforms.depth / 4u;
  let row0 = workgroup.x * ${ROWS}u;
  let rank0 = workgroup.y * ${ROWS}u;
  let rows = (lane >> 2u) & 3u;
  let columns = lane & 3u;
  let part = lane >> 4u;
  ${units
    .map(
      (u) => /* wgsl */ `
  let unit${u} = lane + ${u * THREADS}u;
  let line${u} = unit${u} / ${DEPTH}u;
  let step${u} = unit${u} % ${DEPTH}u;
  let xRow${u} = min(row0 + line${u}, uniforms.rows - 1u);
  ${factorTransposed ? `let factorStep${u} = unit${u} / 4u; let factorAt${u} = rank0 + (unit${u} % 4u) * 4u;` : ''}
  var x${u}: vec4f; var factor${u}: vec4f;`,
    )
    .join('')}
  ${quarters.map((i) => `var sum${i} = vec4f();`).join(' ')}
  var depth0 = 0u;
  ${load}
  loop {
    ${store}
    workgroupBarrier();
    ${
      dropout
        ? /* wgsl */ `
    if (lane < ${(ROWS * DEPTH) / 8}u && workgroup.y == 0u) {
      let row = row0 + lane / ${DEPTH / 8}u;
      let at = depth0 + (lane % ${DEPTH / 8}u) * 8u;
      if (row < uniforms.rows && at < depth) {
        var word = 0u;
        for (var e = 0u; e < 8u; e++) { word |= nibbles[lane * 8u + e] << (4u * e); }
        keepBits[(row * depth + at) / 8u] = word;
      }
    }`
        : ''
    }
    depth0 += ${DEPTH}u;
    if (depth0 < depth) {
      ${load}
    }
    for (var s = part; s < ${DEPTH}u; s += ${THREADS / 16}u) {
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
  // The tiles have room for half of the parts each.
  let to = (part & 7u) * ${ROWS * 4}u + rows * 16u + columns;
  if (part < 8u) {
    ${quarters.map((i) => `left[to + ${4 * i}u] = sum${i};`).join(' ')}
  } else {
    ${quarters.map((i) => `right[to + ${4 * i}u] = sum${i};`).join(' ')}
  }
  workgroupBarrier();
  let row = lane / ${ROWS}u;
  let column = lane % ${ROWS}u;
  var total = 0.0;
  for (var p = 0u; p < 8u; p++) {
    let at = p * ${ROWS * 4}u + lane / 4u;
    total += left[at][lane & 3u] + right[at][lane & 3u];
  }
  if (row0 + row < uniforms.rows && rank0 + column < uniforms.rank) {
    inner[(row0 + row) * uniforms.rank + rank0 + column] = total * uniforms.scale;
  }
}`;
  },
);

export const webgpuInner: NonNullable<OpDefinition<InnerInputs, InnerAttributes>['webgpu']> = (
  { x, factor, random },
  { factorTransposed, scale, dropout: { rate, site } },
  backend,
) => {
  const [rows = 0, depth = 0] = x.shape;
  const rank = factor.shape[factorTransposed ? 1 : 0]!;
  const dropout = rate > 0;
  const { threshold, keepScale } = dropoutNumbers(rate);
  const inner = makeOutput(backend, [rows, rank]);
  const keepBits = makeOutput(backend, [dropout ? keepWords(util.sizeFromShape(x.shape)) : 1], 'int32');
  dispatch(backend, {
    ...shader({ factorTransposed, dropout }),
    bindings: [x, factor, inner, ...(dropout ? [keepBits, random] : [])],
    uniforms: [u32(rows), u32(depth), u32(rank), f32(scale), u32(threshold), u32(site), f32(keepScale)],
    workgroups: [Math.ceil(rows / ROWS), Math.ceil(rank / ROWS), 1],
  });
  return [inner, keepBits];
};
