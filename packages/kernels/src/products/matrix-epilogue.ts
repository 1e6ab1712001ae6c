import { FRAGMENT, scaled, times } from '../webgpu/subgroup-matrix';
import type { AdditionConstants } from './additions';
import { scaleOfLeft, tileLayout, threadsOf, type TileFactors } from './matrix-tiles';

export type EpilogueConstants = TileFactors & AdditionConstants & Readonly<{ split: boolean }>;

/** Places of a subgroup's fragments of the product: rows from 16 i, columns from 16 j. */
export type Fragments = readonly (readonly [i: number, j: number])[];

/** WGSL of fragments of the two tiles: rows from 16 i, columns from 16 j, depth from 16 d. */
function fragmentLoads(factors: TileFactors): {
  readonly loadA: (i: number, d: number) => string;
  readonly loadB: (j: number, d: number) => string;
} {
  const { leftPitch, rightPitch } = tileLayout(factors);
  return {
    loadA: (i, d) =>
      `subgroupMatrixLoad<Left, row_major>(&left, (subgroupRow + ${i * FRAGMENT}u) * ${leftPitch}u + ${d * 2}u, ${leftPitch}u)`,
    loadB: (j, d) =>
      factors.transposed
        ? `subgroupMatrixLoad<Right, row_major>(&right, ${d * FRAGMENT * rightPitch}u + (subgroupColumn + ${j * FRAGMENT}u) / 8u, ${rightPitch}u)`
        : `subgroupMatrixLoad<Right, col_major>(&right, (subgroupColumn + ${j * FRAGMENT}u) * ${rightPitch}u + ${d * 2}u, ${rightPitch}u)`,
  };
}

/** WGSL that adds the product of the two tiles at the depth from 16 d to the sums `sum{i}_{j}`. */
export function multiplyFragments(factors: TileFactors, fragments: Fragments, d: number): string {
  const { loadA, loadB } = fragmentLoads(factors);
  const [rows, columns] = [new Set(fragments.map(([i]) => i)), new Set(fragments.map(([, j]) => j))];
  return /* wgsl */ `{
      ${[...rows].map((i) => `let a${i} = ${loadA(i, d)};`).join('\n      ')}
      ${[...columns].map((j) => `let b${j} = ${loadB(j, d)};`).join('\n      ')}
      ${fragments.map(([i, j]) => `sum${i}_${j} = subgroupMatrixMultiplyAccumulate(a${i}, b${j}, sum${i}_${j});`).join('\n      ')}
    }`;
}

/**
 * WGSL of LoRA's second product: its two factors take the place of one more step of the depth, padded with zeros to whole
 * fragments, and are added to the sums, or left there for `storeByValue` where dropout comes between.
 */
export function loraStep(constants: EpilogueConstants, fragments: Fragments): string {
  const { rank, innerParts, masked, transposed, tileRows, tileColumns } = constants;
  if (rank === 0) return '';
  const threads = threadsOf(constants);
  const { leftPitch, rightPitch } = tileLayout(constants);
  const rankFragments = Math.ceil(rank / FRAGMENT);
  const rankUnits = 2 * rankFragments;
  const leftScale = scaleOfLeft(transposed);
  const add = times(rankFragments, (d) => multiplyFragments(constants, fragments, d)).join('\n  ');
  return /* wgsl */ `
  for (var u = thread; u < ${tileRows * rankUnits}u; u += ${threads}u) {
    let row = u / ${rankUnits}u;
    let at = (u % ${rankUnits}u) * 8u;
    var low = vec4f();
    var high = vec4f();
    if (at < ${rank}u) {
      let source = (min(row0 + row, uniforms.rows - 1u) * ${rank}u + at) / 4u;
      ${times(innerParts, (part) => `{ let at = source + ${part}u * uniforms.rows * ${rank / 4}u; low += inner[at]; high += inner[at + 1u]; }`).join('\n      ')}
    }
    left[row * ${leftPitch}u + at / 8u] = pack8(${scaled('low', leftScale)}, ${scaled('high', leftScale)});
  }
  for (var u = thread; u < ${tileColumns * rankUnits}u; u += ${threads}u) {
    ${
      transposed
        ? /* wgsl */ `let step = u / ${tileColumns / 8}u;
    let at = (u % ${tileColumns / 8}u) * 8u;
    let source = (step * uniforms.columns + column0 + at) / 4u;
    let inside = step < ${rank}u;
    let to = step * ${rightPitch}u + at / 8u;`
        : /* wgsl */ `let column = u / ${rankUnits}u;
    let at = (u % ${rankUnits}u) * 8u;
    let source = ((column0 + column) * ${rank}u + at) / 4u;
    let inside = at < ${rank}u;
    let to = column * ${rightPitch}u + at / 8u;`
    }
    var low = vec4f();
    var high = vec4f();
    if (inside) {
      low = factor[source] * uniforms.factorScale;
      high = factor[source + 1u] * uniforms.factorScale;
    }
    right[to] = pack8(low, high);
  }
  workgroupBarrier();
  ${masked ? '' : add}`;
}

/**
 * WGSL that takes the fragments of the sums through workgroup memory, with all that is done to single values. A lane has
 * vec4 `lane` and `lane + 32` of a fragment's 64, so that four lanes write 64 neighbouring bytes. What is read besides for
 * a fragment is on its way while the one before is written.
 */
export function storeByValue(constants: EpilogueConstants, fragments: Fragments): string {
  return fragments
    .map((_, index) => {
      const reads = index === 0 ? [fragments[0]!, fragments[1]] : [fragments[index + 1]];
      return [
        ...reads.map((next) => (next === undefined ? '' : readBesides(constants, next))),
        storeFragment(constants, fragments[index]!),
      ].join('\n    ');
    })
    .join('');
}

const LANE_QUADS = [0, 1] as const;
const nameOf = ([i, j]: readonly [number, number], quad: number): string => `${i}_${j}_${quad}`;

/** WGSL of where a lane's two vec4 of a fragment lie, and of what is read for them. */
function readBesides({ masked, slope, residual }: EpilogueConstants, fragment: readonly [number, number]): string {
  const [i, j] = fragment;
  return LANE_QUADS.map((quad) => {
    const name = nameOf(fragment, quad);
    return /* wgsl */ `let line${name} = row0 + subgroupRow + ${i * FRAGMENT + 8 * quad}u + (lane >> 2u);
    let at${name} = min(line${name}, uniforms.rows - 1u) * pitch + (column0 + subgroupColumn) / 4u + ${j * 4}u + (lane & 3u);
    ${residual ? `let residual${name} = residual[at${name}];` : ''}
    ${slope === 'linear' ? '' : `let activated${name} = activated[at${name}];`}
    ${masked ? `let kept${name} = keepBits[at${name} >> 3u];` : ''}`;
  }).join('\n    ');
}

function storeFragment(constants: EpilogueConstants, fragment: readonly [number, number]): string {
  const { masked, slope, residual, dropout, rank, split, transposed } = constants;
  const [i, j] = fragment;
  const { loadA, loadB } = fragmentLoads(constants);
  const leftScale = scaleOfLeft(transposed);
  const rankFragments = Math.ceil(rank / FRAGMENT);
  const [firstLine, secondLine] = LANE_QUADS.map((quad) => `line${nameOf(fragment, quad)}`);
  const throughScratch = (sums: string, into: string): string => /* wgsl */ `
    subgroupMatrixStore<row_major>(&left, scratch0, ${sums}, 4u);
    workgroupBarrier();
    ${LANE_QUADS.map((quad) => `var ${into}${quad} = bitcast<vec4f>(left[scratch0 + lane + ${32 * quad}u]);`).join(' ')}
    workgroupBarrier();`;
  return /* wgsl */ `{
    ${throughScratch(`sum${i}_${j}`, 'value')}
    ${
      masked
        ? /* wgsl */ `var term: Sum;
    ${times(rankFragments, (d) => `term = subgroupMatrixMultiplyAccumulate(${loadA(i, d)}, ${loadB(j, d)}, term);`).join('\n    ')}
    ${throughScratch('term', 'added')}`
        : ''
    }
    ${
      dropout
        ? /* wgsl */ `let ownRow = min(select(${firstLine}, ${secondLine}, odd), uniforms.rows - 1u);
    let own = dropoutWords(rowState(ownRow), ((column0 + subgroupColumn) / 4u + ${j * 4}u + (lane & 3u)) >> 1u, uniforms.site);
    let got = subgroupShuffleXor(select(own.zw, own.xy, odd), 1u);
    let bits0 = dropoutBits(select(own.xy, got, odd));
    let bits1 = dropoutBits(select(got, own.zw, odd));`
        : ''
    }
    ${LANE_QUADS.map((quad) => {
      const name = nameOf(fragment, quad);
      return /* wgsl */ `
    ${masked ? `value${quad} += select(vec4f(), added${quad} * (uniforms.keepScale / ${leftScale}.0), keptOf(kept${name}, at${name}));` : ''}
    ${slope === 'linear' ? '' : `value${quad} *= activationSlope(activated${name});`}
    ${dropout ? `value${quad} = select(vec4f(), value${quad} * uniforms.dropoutScale, bits${quad} >= vec4u(uniforms.threshold));` : ''}
    ${residual ? `value${quad} += residual${name};` : ''}
    if (line${name} < uniforms.rows) { product[at${name}${split ? ' + workgroup.z * uniforms.rows * pitch' : ''}] = value${quad}; }`;
    }).join('')}
  }
  `;
}
