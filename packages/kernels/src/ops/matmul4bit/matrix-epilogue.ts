import { FRAGMENT, times } from '../../webgpu/subgroup-matrix';
import type { AdditionConstants } from '../../webgpu/product-additions';
import { scaleOfLeft, tileLayout, threadsOf, type TileFactors } from './matrix-tiles';

export type EpilogueConstants = TileFactors & AdditionConstants & Readonly<{ split: boolean }>;

/** WGSL of fragments of the two tiles: rows from 16 i, columns from 16 j, depth from 16 d. */
export function fragmentLoads(factors: TileFactors): {
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

/**
 * WGSL of LoRA's second product: its two factors take the place of one more step of the depth, padded with zeros to whole
 * fragments, and are added to the sums, or left there for `storeByValue` where dropout comes between.
 */
export function loraStep(constants: EpilogueConstants, fragments: readonly (readonly [number, number])[]): string {
  const { rank, innerParts, masked, transposed, tileRows, tileColumns } = constants;
  if (rank === 0) return '';
  const threads = threadsOf(constants);
  const { leftPitch, rightPitch } = tileLayout(constants);
  const { loadA, loadB } = fragmentLoads(constants);
  const rankFragments = Math.ceil(rank / FRAGMENT);
  const rankUnits = 2 * rankFragments;
  const leftScale = scaleOfLeft(transposed);
  const scaled = (name: string): string => (leftScale === 1 ? name : `${name} * ${leftScale}.0`);
  const [rows, columns] = [new Set(fragments.map(([i]) => i)), new Set(fragments.map(([, j]) => j))];
  const add = times(
    rankFragments,
    (d) => /* wgsl */ `{
    ${[...rows].map((i) => `let a${i} = ${loadA(i, d)};`).join('\n    ')}
    ${[...columns].map((j) => `let b${j} = ${loadB(j, d)};`).join('\n    ')}
    ${fragments.map(([i, j]) => `sum${i}_${j} = subgroupMatrixMultiplyAccumulate(a${i}, b${j}, sum${i}_${j});`).join('\n    ')}
  }`,
  ).join('\n  ');
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
    left[row * ${leftPitch}u + at / 8u] = pack8(${scaled('low')}, ${scaled('high')});
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
 * WGSL that takes a fragment of the sums through workgroup memory, with all that is done to single values. A lane has
 * vec4 `lane` and `lane + 32` of its 64, so that four lanes write 64 neighbouring bytes; what is read besides is on
 * its way before the fragment is waited for.
 */
export function storeByValue(constants: EpilogueConstants, i: number, j: number): string {
  const { masked, slope, residual, dropout, rank, split, transposed } = constants;
  const { loadA, loadB } = fragmentLoads(constants);
  const leftScale = scaleOfLeft(transposed);
  const rankFragments = Math.ceil(rank / FRAGMENT);
  const lanes = [0, 1] as const;
  const throughScratch = (fragment: string, into: string): string => /* wgsl */ `
    subgroupMatrixStore<row_major>(&left, scratch0, ${fragment}, 4u);
    workgroupBarrier();
    ${lanes.map((l) => `var ${into}${l} = bitcast<vec4f>(left[scratch0 + lane + ${32 * l}u]);`).join(' ')}
    workgroupBarrier();`;
  return /* wgsl */ `{
    ${lanes
      .map(
        (l) => /* wgsl */ `let line${l} = row0 + subgroupRow + ${i * FRAGMENT + 8 * l}u + (lane >> 2u);
    let at${l} = min(line${l}, uniforms.rows - 1u) * pitch + (column0 + subgroupColumn) / 4u + ${j * 4}u + (lane & 3u);
    ${residual ? `let residual${l} = residual[at${l}];` : ''}
    ${slope === 'linear' ? '' : `let activated${l} = activated[at${l}];`}
    ${masked ? `let kept${l} = keepBits[at${l} >> 3u];` : ''}`,
      )
      .join('\n    ')}
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
        ? /* wgsl */ `let own = dropoutWords(random, select(at0, at1, odd) >> 1u, uniforms.site);
    let got = subgroupShuffleXor(select(own.zw, own.xy, odd), 1u);
    let bits0 = dropoutBits(select(own.xy, got, odd));
    let bits1 = dropoutBits(select(got, own.zw, odd));`
        : ''
    }
    ${lanes
      .map(
        (l) => /* wgsl */ `
    ${masked ? `value${l} += select(vec4f(), added${l} * (uniforms.keepScale / ${leftScale}.0), keptOf(kept${l}, at${l}));` : ''}
    ${slope === 'linear' ? '' : `value${l} *= activationSlope(activated${l});`}
    ${dropout ? `value${l} = select(vec4f(), value${l} * uniforms.dropoutScale, bits${l} >= vec4u(uniforms.threshold));` : ''}
    ${residual ? `value${l} += residual${l};` : ''}
    if (line${l} < uniforms.rows) { product[at${l}${split ? ' + workgroup.z * uniforms.rows * pitch' : ''}] = value${l}; }`,
      )
      .join('')}
  }
  `;
}
