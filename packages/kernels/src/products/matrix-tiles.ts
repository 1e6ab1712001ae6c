import {
  FRAGMENT,
  LANES,
  pairFirst,
  pairSecond,
  pairUnit,
  scaled,
  SLOPE_SCALE,
  times,
} from '../webgpu/subgroup-matrix';

/** How a workgroup takes a product apart. */
export type MatrixTile = Readonly<{
  /** Rows and columns of the product a workgroup computes, and the depth it takes at a time. */
  tileRows: number;
  tileColumns: number;
  tileDepth: number;
  /** Subgroups of a workgroup, over the rows and over the columns of its tile. */
  subgroupRows: number;
  subgroupColumns: number;
}>;

/** What decides the layout of the tiles. */
export type TileFactors = MatrixTile &
  Readonly<{
    transposed: boolean;
    /** x [rows, depth], or the same in f16, gradients times SLOPE_SCALE. */
    left: 'float32' | 'float16';
    /** W as 4-bit codes, or its values in f16. */
    right: 'codes' | 'float16';
    nested: boolean;
    /** log2 of the nested block size, 0 where absmax is float32. */
    nestedShift: number;
    blockShift: number;
  }>;

export const threadsOf = (tile: MatrixTile): number => LANES * tile.subgroupRows * tile.subgroupColumns;

/** What x is multiplied by on its way to f16: the transposed product takes gradients. */
export const scaleOfLeft = (transposed: boolean): number => (transposed ? SLOPE_SCALE : 1);

/** vec4 that a subgroup leaves a fragment of sums in. */
export const SCRATCH = (FRAGMENT * FRAGMENT) / 4;

/** Lengths in vec4u, eight f16. A row is one longer than needed, which spreads eight of them over all banks. */
export interface TileLayout {
  readonly leftPitch: number;
  readonly rightPitch: number;
  readonly leftSize: number;
  readonly rightSize: number;
  /** The subgroups' scratch, behind the tile of x. */
  readonly scratchSize: number;
}

export function tileLayout(tile: MatrixTile & { readonly transposed: boolean }): TileLayout {
  const { tileRows, tileColumns, tileDepth, subgroupRows, subgroupColumns, transposed } = tile;
  const leftPitch = tileDepth / 8 + 1;
  const rightPitch = (transposed ? tileColumns : tileDepth) / 8 + 1;
  return {
    leftPitch,
    rightPitch,
    leftSize: tileRows * leftPitch,
    rightSize: (transposed ? tileDepth : tileColumns) * rightPitch,
    scratchSize: subgroupRows * subgroupColumns * SCRATCH,
  };
}

/** Bytes of workgroup memory that the shader declares at most. */
export function workgroupBytes(tile: MatrixTile & { readonly transposed: boolean }): number {
  const { leftSize, rightSize, scratchSize } = tileLayout(tile);
  return 16 * (leftSize + rightSize + scratchSize) + 1024;
}

/** WGSL of a tile's way from memory to workgroup memory. */
export interface TileLoader {
  /** Before the loop: places, and variables for what is on its way. */
  readonly declare: string;
  /** Reads the tile of the depth at `depth0`. Uses nothing of what it reads, so that no read waits for another. */
  readonly load: string;
  /** Writes what was read to workgroup memory. */
  readonly store: string;
}

/** The tile of x. Its last rows repeat the last row of x. */
export function leftLoader(factors: TileFactors): TileLoader {
  const { tileRows, tileDepth, transposed, left } = factors;
  const threads = threadsOf(factors);
  const { leftPitch } = tileLayout(factors);
  const units = tileDepth / 8;
  const rounds = (tileRows * units) / threads;
  const row = (line: string): string => `min(row0 + ${line}, uniforms.rows - 1u)`;
  if (left === 'float16') {
    const step = threads / units;
    return {
      declare: /* wgsl */ `
  let leftLine = thread / ${units}u;
  let leftStep = thread % ${units}u;
  ${times(rounds, (u) => `let leftAt${u} = ${row(`leftLine + ${u * step}u`)} * (uniforms.depth / 8u) + leftStep; var left${u}: vec4u;`).join('\n  ')}
  let leftTo = leftLine * ${leftPitch}u + leftStep;`,
      load: times(rounds, (u) => `left${u} = x[leftAt${u} + depth0 / 8u];`).join(' '),
      store: times(rounds, (u) => `left[leftTo + ${u * step * leftPitch}u] = left${u};`).join('\n      '),
    };
  }
  const quads = tileDepth / 4;
  const at = (quad: string): string => `${row(`${quad} / ${quads}u`)} * (uniforms.depth / 4u) + ${quad} % ${quads}u`;
  const packed = (name: string): string => `pack4(${scaled(name, scaleOfLeft(transposed))})`;
  return {
    declare: /* wgsl */ `
  ${times(
    rounds,
    (u) => /* wgsl */ `
  let leftAt${u} = ${at(pairFirst(u, threads))};
  let leftNext${u} = ${at(pairSecond(u, threads))};`,
  ).join('')}
  let leftUnit = ${pairUnit(0, threads)};
  let leftTo = (leftUnit / ${units}u) * ${leftPitch}u + leftUnit % ${units}u;
  ${times(rounds, (u) => `var left${u}: vec4f; var other${u}: vec4f;`).join(' ')}`,
    load: times(
      rounds,
      (u) => `left${u} = x[leftAt${u} + depth0 / 4u]; other${u} = x[leftNext${u} + depth0 / 4u];`,
    ).join('\n    '),
    store: times(
      rounds,
      (u) =>
        `left[leftTo + ${u * (threads / units) * leftPitch}u] = pairUp(${packed(`left${u}`)}, ${packed(`other${u}`)}, odd);`,
    ).join('\n      '),
  };
}

/** The tile of W: rows of W are its columns, or its depth where the product is transposed. */
export function rightLoader(factors: TileFactors): TileLoader {
  const { tileColumns, tileDepth, transposed, right, nested, nestedShift, blockShift } = factors;
  const threads = threadsOf(factors);
  const { rightPitch } = tileLayout(factors);
  const run = transposed ? tileColumns : tileDepth;
  const units = (tileColumns * tileDepth) / 8;
  if (right === 'float16') {
    const perRun = run / 8;
    const rounds = units / threads;
    const step = threads / perRun;
    return {
      declare: /* wgsl */ `
  let rightLine = thread / ${perRun}u;
  let rightStep = thread % ${perRun}u;
  let rightAt = ${transposed ? 'rightLine * (uniforms.weightRow / 8u) + column0 / 8u' : '(column0 + rightLine) * (uniforms.weightRow / 8u)'} + rightStep;
  let rightTo = rightLine * ${rightPitch}u + rightStep;
  ${times(rounds, (u) => `var right${u}: vec4u;`).join(' ')}`,
      load: times(
        rounds,
        (u) =>
          `right${u} = weight[rightAt + ${transposed ? `(depth0 + ${u * step}u) * (uniforms.weightRow / 8u)` : `${u * step}u * (uniforms.weightRow / 8u) + depth0 / 8u`}];`,
      ).join(' '),
      store: times(rounds, (u) => `right[rightTo + ${u * step * rightPitch}u] = right${u};`).join('\n      '),
    };
  }
  const words = wordsARead(factors);
  const rounds = units / threads / words;
  const unitsPerRun = run / 8 / words;
  const step = threads / unitsPerRun;
  const wordType = codesType(factors);
  return {
    declare: /* wgsl */ `
  let rightLine = thread / ${unitsPerRun}u;
  let rightStep = thread % ${unitsPerRun}u;
  let rightAt = ${transposed ? 'rightLine * uniforms.weightRow + column0' : '(column0 + rightLine) * uniforms.weightRow'} + rightStep * ${8 * words}u;
  let rightTo = rightLine * ${rightPitch}u + rightStep * ${words}u;
  ${times(rounds, (u) => `var codes${u}: ${wordType}; var scale${u}: f32; ${nested ? `var scaleWord${u}: u32; var scaleShift${u}: u32;` : ''}`).join(' ')}`,
    load: times(
      rounds,
      (u) => /* wgsl */ `{
      let element = rightAt + ${transposed ? `(depth0 + ${u * step}u) * uniforms.weightRow` : `${u * step}u * uniforms.weightRow + depth0`};
      codes${u} = packed[element / ${8 * words}u];
      let block = element >> ${blockShift}u;
      ${
        nested
          ? `scaleWord${u} = absmax[block >> 2u]; scaleShift${u} = (block & 3u) * 8u; scale${u} = nestedAbsmax[block >> ${nestedShift}u];`
          : `scale${u} = absmax[block];`
      }
    }`,
    ).join('\n    '),
    store: times(rounds, (u) => {
      const word = (w: number): string => (words === 1 ? `codes${u}` : `codes${u}[${w}]`);
      return /* wgsl */ `{
      ${nested ? `let scale = fma(absmaxLevels[(scaleWord${u} >> scaleShift${u}) & 255u], scale${u}, offset);` : `let scale = scale${u};`}
      ${times(words, (w) => `right[rightTo + ${u * step * rightPitch + w}u] = dequantize(${word(w)}, scale, level);`).join('\n      ')}
    }`;
    }).join('\n    '),
  };
}

/** Words of eight codes that a thread reads at a time. */
const wordsARead = (factors: MatrixTile): number =>
  Math.min(4, (factors.tileColumns * factors.tileDepth) / 8 / threadsOf(factors));

/** WGSL element type that packed codes are bound as. */
export function codesType(factors: MatrixTile): string {
  const words = wordsARead(factors);
  return words === 1 ? 'u32' : `vec${words}<u32>`;
}
