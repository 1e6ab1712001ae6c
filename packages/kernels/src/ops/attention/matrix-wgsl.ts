import { FRAGMENT, LANES, pairFirst, pairSecond, pairUnit, scaled, times } from '../../webgpu/subgroup-matrix';
import type { TileConstants } from './wgsl';

/** Rows of the looped side that a workgroup takes at a time: a lane's share is 16 of a subgroup's 16 x 32 scores. */
export const LOOP_ROWS = 32;

/** What a variant on subgroup matrices bakes in. */
export interface MatrixTileConstants extends TileConstants {
  /** Subgroups of a workgroup, 16 own rows each; `ownRows` is 16 times as many. */
  readonly subgroups: number;
}

export interface MatrixTileSizes {
  readonly threads: number;
  /** vec4u (eight f16) of a head, and from one row of a tile to the next: 16 bytes more, which spreads eight rows over all banks. */
  readonly units: number;
  readonly pitch: number;
  /** Fragments along a head. */
  readonly headFragments: number;
}

export function matrixTileSizes({
  headSize,
  subgroups,
}: Pick<MatrixTileConstants, 'headSize' | 'subgroups'>): MatrixTileSizes {
  const units = headSize / 8;
  return { threads: subgroups * LANES, units, pitch: units + 1, headFragments: headSize / FRAGMENT };
}

export const MATRIX_ENTRY = (threads: number): string => /* wgsl */ `
@compute @workgroup_size(${threads})
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let subgroup = thread / ${LANES}u;
  let lane = thread % ${LANES}u;
  let odd = (lane & 1u) == 1u;`;

/** WGSL declaration of a tile of rows of a head in f16. */
export const halfTile = (name: string, rows: number, { pitch }: MatrixTileSizes): string =>
  `var<workgroup> ${name}: array<vec4u, ${rows * pitch}>;`;

/** WGSL of a tile's way from memory to workgroup memory, in f16. */
export interface HalfTileLoader {
  /** Variables for what is on its way. */
  readonly declare: string;
  /** Reads the rows from `first` of the sequence, its last row for those behind its end; uses nothing of what it reads. */
  readonly load: (first: string) => string;
  /** Writes them, zeros behind the end of the sequence. */
  readonly store: (first: string) => string;
}

/**
 * @param value WGSL expression of the vec4 at `d` of row `row` of the sequence
 * @param scale what the values are multiplied by on their way to f16
 */
export function halfTileLoader(
  into: string,
  rows: number,
  { units, pitch, threads }: MatrixTileSizes,
  value: (row: string, d: string) => string,
  scale = 1,
): HalfTileLoader {
  const packed = (name: string): string => `pack4(${scaled(name, scale)})`;
  const quads = 2 * units;
  const all = rows * quads;
  const rounds = Math.ceil(all / (2 * threads));
  const each = (body: (u: number) => string): string => times(rounds, body).join('\n    ');
  // Whole subgroups are behind the tile's end or none of their lanes, so that neighbours can swap.
  const inside = (u: number, text: string): string =>
    2 * threads * (u + 1) <= all ? text : `if (${pairFirst(u, threads)} - lane < ${all}u) { ${text} }`;
  const read = (first: string, quad: string): string =>
    value(`clamp(${first} + i32(${quad} / ${quads}u), 0, last)`, `(${quad} % ${quads}u)`);
  return {
    declare: each((u) => `var ${into}First${u}: vec4f; var ${into}Second${u}: vec4f;`),
    load: (first) =>
      each((u) =>
        inside(
          u,
          `${into}First${u} = ${read(first, pairFirst(u, threads))}; ${into}Second${u} = ${read(first, pairSecond(u, threads))};`,
        ),
      ),
    store: (first) =>
      each((u) =>
        inside(
          u,
          /* wgsl */ `{
      let unit = ${pairUnit(u, threads)};
      let row = unit / ${units}u;
      let half = pairUp(${packed(`${into}First${u}`)}, ${packed(`${into}Second${u}`)}, odd);
      ${into}[row * ${pitch}u + unit % ${units}u] = select(vec4u(), half, ${first} + i32(row) <= last);
    }`,
        ),
      ),
  };
}

/** The way of a tile of queries (part 0), keys (1) or values (2); see `reader`. */
export const qkvTileLoader = (
  into: string,
  rows: number,
  sizes: MatrixTileSizes,
  part: 0 | 1 | 2,
  head = part === 0 ? 'head' : 'keyHead',
): HalfTileLoader =>
  halfTileLoader(into, rows, sizes, (row, d) => `readQkv(sequence.start + ${row}, ${part}u, ${head}, ${d})`);

/**
 * WGSL of a lane's `c`th quad of scores, of one query and four neighbouring keys: `key{c}`, and in `seen{c}` which of
 * them the query sees.
 *
 * @param first the lane's first key
 */
export const quadKeys = (c: number, first: string): string => /* wgsl */ `
    let key${c} = vec4i(${first} + ${4 * c}) + vec4i(0, 1, 2, 3);
    let seen${c} = (key${c} <= vec4i(query)) & (key${c} >= vec4i(sequence.keyStart)) & (key${c} < vec4i(sequence.keyEnd));`;

/**
 * WGSL of left · rightᵀ over the head: 16 rows of `left` from `row`, 32 rows of `right`; declares `into0` and `into1`.
 * The zeros are written out: without them a loop's variable keeps what the round before left.
 */
export function rowProducts(
  into: string,
  left: string,
  right: string,
  row: string,
  { pitch, headFragments }: MatrixTileSizes,
): string {
  return /* wgsl */ `
    var ${into}0 = Sum(); var ${into}1 = Sum();
    ${times(
      headFragments,
      (f) => /* wgsl */ `{
      let a = subgroupMatrixLoad<Left, row_major>(&${left}, (${row}) * ${pitch}u + ${2 * f}u, ${pitch}u);
      ${[0, 1]
        .map(
          (j) =>
            `${into}${j} = subgroupMatrixMultiplyAccumulate(a, subgroupMatrixLoad<Right, col_major>(&${right}, ${j * FRAGMENT * pitch + 2 * f}u, ${pitch}u), ${into}${j});`,
        )
        .join('\n      ')}
    }`,
    ).join('\n    ')}`;
}

/**
 * WGSL that adds weights · right to the sums `into0`, `into1`, ... along the head: weights 16 x 32 in f16, `right` the 32
 * looped rows.
 *
 * @param weight WGSL of a left fragment of the weights: columns 16 j and on
 */
export function addProducts(
  into: string,
  weight: (j: number) => string,
  right: string,
  { pitch, headFragments }: MatrixTileSizes,
): string {
  return [0, 1]
    .map(
      (j) => /* wgsl */ `{
      let a = ${weight(j)};
      ${times(
        headFragments,
        (f) =>
          `${into}${f} = subgroupMatrixMultiplyAccumulate(a, subgroupMatrixLoad<Right, row_major>(&${right}, ${j * FRAGMENT * pitch + 2 * f}u, ${pitch}u), ${into}${f});`,
      ).join('\n      ')}
    }`,
    )
    .join('\n    ');
}

/**
 * WGSL that applies dropout to a lane's 16 probabilities, two quads to a draw with the query's `state`.
 *
 * @param element WGSL of the number, in its row, of a quad's first probability; even quads begin at a multiple of eight
 * @param apply WGSL of what becomes of a quad whose `kept` is a vec4<bool>
 */
export const dropQuads = (element: (quad: number) => string, apply: (quad: number) => string): string =>
  [0, 2]
    .map(
      (c) => /* wgsl */ `
    if (any(seen${c} | seen${c + 1})) {
      let words = dropoutWords(state, (${element(c)}) >> 3u, uniforms.site);
      { let kept = dropoutBits(words.xy) >= vec4u(uniforms.threshold); ${apply(c)} }
      { let kept = dropoutBits(words.zw) >= vec4u(uniforms.threshold); ${apply(c + 1)} }
    }`,
    )
    .join('');

export const declareSums = (name: string, { headFragments }: MatrixTileSizes): string =>
  times(headFragments, (f) => `var ${name}${f}: Sum;`).join(' ');

/**
 * vec4 from one row to the next of what a subgroup leaves in f32 for its lanes: 16 rows of 32 columns, and four spread
 * over the banks.
 */
const SCRATCH_PITCH = LOOP_ROWS / 4 + 1;
export const SCRATCH = FRAGMENT * SCRATCH_PITCH;

/** WGSL that leaves the scores of 16 queries and 32 keys in a subgroup's scratch; two lanes share a query. */
export const storeScores = (name: string): string => /* wgsl */ `
    subgroupMatrixStore<row_major>(&scratch, scratch0, ${name}0, ${SCRATCH_PITCH}u);
    subgroupMatrixStore<row_major>(&scratch, scratch0 + 4u, ${name}1, ${SCRATCH_PITCH}u);
    workgroupBarrier();`;

/** WGSL of a lane's `c`th quad of those scores. */
export const scoreQuad = (c: number): string =>
  `scratch[scratch0 + (lane >> 1u) * ${SCRATCH_PITCH}u + side * 4u + ${c}u]`;

/** WGSL: a lane's first key of those scores. */
export const FIRST_KEY = 't + i32(side * 16u)';

/** WGSL that writes a subgroup's sums along the head, two fragments at a time, through its scratch. */
export function writeSums(
  name: string,
  { headFragments }: MatrixTileSizes,
  { write, factor }: { write: (row: string, d: string, value: string) => string; factor: string },
): string {
  const pairs = times(Math.ceil(headFragments / 2), (p) => [2 * p, 2 * p + 1].filter((f) => f < headFragments));
  return pairs
    .map(
      (fragments) => /* wgsl */ `
  workgroupBarrier();
  ${fragments.map((f, at) => `subgroupMatrixStore<row_major>(&scratch, scratch0 + ${4 * at}u, ${name}${f}, ${SCRATCH_PITCH}u);`).join(' ')}
  workgroupBarrier();
  for (var k = lane; k < ${FRAGMENT * 4 * fragments.length}u; k += ${LANES}u) {
    let r = k / ${4 * fragments.length}u;
    let c = k % ${4 * fragments.length}u;
    let row = first + i32(subgroup * ${FRAGMENT}u + r);
    if (row < sequence.count) {
      ${write('row', `${4 * fragments[0]!}u + c`, `scratch[scratch0 + r * ${SCRATCH_PITCH}u + c] * ${factor}`)}
    }
  }`,
    )
    .join('');
}
