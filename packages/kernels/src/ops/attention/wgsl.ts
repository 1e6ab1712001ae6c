import { layout } from '../../webgpu/layout';
import { DROPOUT, RANDOM_BUFFER } from '../../webgpu/philox';
import { NO_KEYS_LSE } from './types';

/** A score that is masked; finite, so that differences of two stay finite. */
const MASKED_SCORE = -1e30;

/** Threads along the looped rows of a tile; each has `loopRows / 8` of them, and four of the own rows. */
const ACROSS = 8;
const OWN_ROWS_A_THREAD = 4;
/** Columns that one vec4 a thread covers: heads are padded to a multiple of it in workgroup memory. */
const COLUMNS_A_STEP = ACROSS * 4;

/**
 * What a variant of the attention kernels bakes in. A workgroup owns `ownRows` rows of one head, keeps them in
 * workgroup memory and loops over the other side in tiles of `loopRows`.
 */
export interface TileConstants extends Readonly<Record<string, string | number | boolean>> {
  readonly headSize: number;
  readonly ownRows: number;
  readonly loopRows: number;
  /** `grouped`: keyStride is a multiple of 4, so that one Philox block serves four neighbouring keys. */
  readonly dropout: 'none' | 'grouped' | 'single';
}

/** Sizes that follow from the constants. */
export interface TileSizes {
  readonly across: number;
  readonly threads: number;
  /** Looped rows of a thread. */
  readonly columns: number;
  /** vec4s of a head, and of a row in workgroup memory: one more, so that neighbouring rows lie in different banks. */
  readonly depth: number;
  readonly pitch: number;
  /** vec4s of a head's output a thread accumulates for each of its own rows. */
  readonly steps: number;
  /** vec4s from one looped row to the next in the weights. */
  readonly weightPitch: number;
}

export function tileSizes({
  headSize,
  ownRows,
  loopRows,
}: Pick<TileConstants, 'headSize' | 'ownRows' | 'loopRows'>): TileSizes {
  const steps = Math.ceil(headSize / COLUMNS_A_STEP);
  return {
    across: ACROSS,
    threads: (ownRows / OWN_ROWS_A_THREAD) * ACROSS,
    columns: loopRows / ACROSS,
    depth: Math.ceil(headSize / 4),
    pitch: steps * ACROSS + 1,
    steps,
    weightPitch: ownRows / OWN_ROWS_A_THREAD + 1,
  };
}

/** Buffers that every attention kernel has after its own. */
const randomBuffer = ({ dropout }: TileConstants) => ({
  random: dropout === 'none' ? undefined : RANDOM_BUFFER,
});

const UNIFORMS = {
  rows: 'i32',
  heads: 'u32',
  keyHeads: 'u32',
  sequences: 'u32',
  keyStride: 'u32',
  scale: 'f32',
  threshold: 'u32',
  keepScale: 'f32',
  site: 'u32',
} as const;

/** Uniforms of every attention kernel. */
export type AttentionUniforms = typeof UNIFORMS;

/**
 * What the forward kernels are given.
 *
 * @param type element type that matrices are bound as
 */
export const forwardLayout = (constants: TileConstants, type: string) =>
  layout({
    uniforms: UNIFORMS,
    buffers: {
      qkv: `read array<${type}>`,
      sequences: 'read array<vec4i>',
      y: `write array<${type}>`,
      lse: 'write array<f32>',
      ...randomBuffer(constants),
    },
  });

/** What the kernels of the gradient by the queries are given. */
export const queryGradientLayout = (constants: TileConstants, type: string) =>
  layout({
    uniforms: UNIFORMS,
    buffers: {
      qkv: `read array<${type}>`,
      sequences: 'read array<vec4i>',
      dy: `read array<${type}>`,
      y: `read array<${type}>`,
      lse: 'read array<f32>',
      dqkv: `write array<${type}>`,
      deltas: 'write array<f32>',
      ...randomBuffer(constants),
    },
  });

/** What the kernels of the gradients by the keys and values are given. */
export const keyGradientLayout = (constants: TileConstants, type: string) =>
  layout({
    uniforms: UNIFORMS,
    buffers: {
      qkv: `read array<${type}>`,
      sequences: 'read array<vec4i>',
      dy: `read array<${type}>`,
      lse: 'read array<f32>',
      deltas: 'read array<f32>',
      dqkv: `write array<${type}>`,
      ...randomBuffer(constants),
    },
  });

/** WGSL that every attention kernel begins with: what it is given, and its sequences. */
export function preamble(constants: TileConstants, io: { readonly wgsl: string }): string {
  return /* wgsl */ `
${io.wgsl}
${constants.dropout === 'none' ? '' : DROPOUT}

struct Sequence { start: i32, count: i32, keyStart: i32, keyEnd: i32 }

// Kept within the rows, whatever the tensor says: nothing else stands between it and memory.
fn sequenceAt(index: u32) -> Sequence {
  let fields = sequences[index];
  let start = clamp(fields.x, 0, uniforms.rows);
  let count = clamp(fields.y, 0, uniforms.rows - start);
  let keyEnd = clamp(fields.w, 0, count);
  return Sequence(start, count, clamp(fields.z, 0, keyEnd), keyEnd);
}
`;
}

/** What a matrix holds a row: packed q, k and v, or one block of heads as q has them. */
type RowOf = 'qkv' | 'heads';

/**
 * WGSL: the block of a head in a matrix. Of packed rows part 0 is q, by a head of queries, 1 and 2 are k and v, by a
 * head of keys.
 */
const BLOCK: Record<RowOf, string> = {
  qkv: 'u32(row) * (uniforms.heads + 2u * uniforms.keyHeads) + select(uniforms.heads + (part - 1u) * uniforms.keyHeads, 0u, part == 0u) + head',
  heads: 'u32(row) * uniforms.heads + head',
};

/** WGSL of a function that reads four columns of a head from a matrix, 0 behind the head's end. */
export function reader(name: string, matrix: string, rowOf: RowOf, { headSize }: TileConstants): string {
  const block = BLOCK[rowOf];
  return headSize % 4 === 0
    ? /* wgsl */ `
fn ${name}(row: i32, part: u32, head: u32, d: u32) -> vec4f { return ${matrix}[(${block}) * ${headSize / 4}u + d]; }`
    : /* wgsl */ `
fn ${name}(row: i32, part: u32, head: u32, d: u32) -> vec4f {
  var value = vec4f(0.0);
  for (var i = 0u; i < 4u && d * 4u + i < ${headSize}u; i++) { value[i] = ${matrix}[(${block}) * ${headSize}u + d * 4u + i]; }
  return value;
}`;
}

/** WGSL of a function that writes four columns of a head, the way `reader` reads them. */
export function writer(name: string, matrix: string, rowOf: RowOf, { headSize }: TileConstants): string {
  const block = BLOCK[rowOf];
  return headSize % 4 === 0
    ? /* wgsl */ `
fn ${name}(row: i32, part: u32, head: u32, d: u32, value: vec4f) { ${matrix}[(${block}) * ${headSize / 4}u + d] = value; }`
    : /* wgsl */ `
fn ${name}(row: i32, part: u32, head: u32, d: u32, value: vec4f) {
  for (var i = 0u; i < 4u && d * 4u + i < ${headSize}u; i++) { ${matrix}[(${block}) * ${headSize}u + d * 4u + i] = value[i]; }
}`;
}

/** The element type a matrix is bound as. */
export const elementType = ({ headSize }: TileConstants): string => (headSize % 4 === 0 ? 'vec4f' : 'f32');

/** WGSL declarations of a tile of `rows` rows in workgroup memory. */
export const tileArray = (name: string, rows: number, { pitch }: TileSizes): string =>
  `var<workgroup> ${name}: array<vec4f, ${rows * pitch}>;`;

/**
 * WGSL that fills a tile with rows `first`, `first` + 1, ... of the sequence; rows behind its end become 0, and so do
 * columns behind the head's end, which the tile's padding holds.
 *
 * @param interleaved a thread's looped rows lie 8 apart, so that the threads reading beside each other hit other banks
 */
export function loadTile(
  into: string,
  rows: number,
  { pitch, threads, columns, depth }: TileSizes,
  { first, value, interleaved }: { first: string; value: string; interleaved: boolean },
): string {
  const width = pitch - 1;
  const place = interleaved ? `((r % ${columns}u) * ${ACROSS}u + r / ${columns}u)` : 'r';
  return /* wgsl */ `
  for (var e = lane; e < ${rows * width}u; e += ${threads}u) {
    let r = e / ${width}u;
    let d = e % ${width}u;
    let row = ${first} + i32(r);
    var value = vec4f(0.0);
    if (row < sequence.count && d < ${depth}u) { value = ${value}; }
    ${into}[${place} * ${pitch}u + d] = value;
  }`;
}

/**
 * WGSL of products of a thread's four own rows with its looped rows: declares `into`, one vec4 over the own rows for
 * each looped row. The zeros are written out: without them SwiftShader keeps a loop's variable from the round before.
 */
export function scoreProducts(into: string, own: string, looped: string, { pitch, columns, depth }: TileSizes): string {
  return /* wgsl */ `
  var ${into} = array<vec4f, ${columns}>();
  for (var d = 0u; d < ${depth}u; d++) {
    let at = ty * ${4 * pitch}u + d;
    let a0 = ${own}[at];
    let a1 = ${own}[at + ${pitch}u];
    let a2 = ${own}[at + ${2 * pitch}u];
    let a3 = ${own}[at + ${3 * pitch}u];
    for (var c = 0u; c < ${columns}u; c++) {
      let b = ${looped}[(c * ${ACROSS}u + tx) * ${pitch}u + d];
      ${into}[c] += vec4f(dot(a0, b), dot(a1, b), dot(a2, b), dot(a3, b));
    }
  }`;
}

/**
 * WGSL that adds weights · looped rows to a thread's part of the output, an array of 4 vec4 for each step of columns,
 * one an own row.
 */
export function outputProducts(
  into: string,
  weights: string,
  looped: string,
  { loopRows }: TileConstants,
  { pitch, steps, weightPitch }: TileSizes,
): string {
  return /* wgsl */ `
  for (var j = 0u; j < ${loopRows}u; j++) {
    let weight = ${weights}[j * ${weightPitch}u + ty];
    for (var step = 0u; step < ${steps}u; step++) {
      let b = ${looped}[j * ${pitch}u + tx + step * ${ACROSS}u];
      for (var r = 0u; r < 4u; r++) { ${into}[step * 4u + r] += weight[r] * b; }
    }
  }`;
}

/** WGSL that declares a thread's part of the output, all 0. */
export const outputZeros = (name: string, { steps }: TileSizes): string =>
  `var ${name} = array<vec4f, ${4 * steps}>();`;

/** WGSL that writes a thread's part of the output; `value` is an expression of `step` and the own row `r`. */
export function writeOutput(
  write: string,
  part: string,
  { steps, depth }: TileSizes,
  value: string,
  head = 'head',
): string {
  return /* wgsl */ `
  for (var r = 0u; r < 4u; r++) {
    let row = first + i32(ty * 4u + r);
    for (var step = 0u; step < ${steps}u; step++) {
      let d = tx + step * ${ACROSS}u;
      if (row < sequence.count && d < ${depth}u) { ${write}(sequence.start + row, ${part}, ${head}, d, ${value}); }
    }
  }`;
}

/** WGSL that sums (or takes the maximum of) what the threads of the same own rows have left in `reduced`. */
export const overThreads = (name: string, operation: 'sum' | 'max'): string => /* wgsl */ `
  var ${name} = reduced[ty * ${ACROSS}u];
  for (var i = 1u; i < ${ACROSS}u; i++) {
    let other = reduced[ty * ${ACROSS}u + i];
    ${name} = ${operation === 'sum' ? `${name} + other` : `max(${name}, other)`};
  }`;

/**
 * WGSL of the random bits of a thread's looped keys, `bits[c]` a vec4 over the own queries: query ty * 4 + r, key
 * tx * columns + c of the tile that begins at key `t`.
 */
export function bitsByQuery({ dropout }: TileConstants, { columns }: TileSizes): string {
  if (dropout === 'none') return '';
  const word =
    dropout === 'grouped' ? `block[(element & 3u) + c]` : `dropoutElement(state, element + c, uniforms.site)`;
  return /* wgsl */ `
  var bits: array<vec4u, ${columns}>;
  for (var r = 0u; r < 4u; r++) {
    let state = rowState(u32(sequence.start + min(first + i32(ty * 4u + r), sequence.count - 1)));
    let element = head * uniforms.keyStride + u32(t) + tx * ${columns}u;
    ${dropout === 'grouped' ? 'let block = dropoutQuad(state, element >> 2u, uniforms.site);' : ''}
    for (var c = 0u; c < ${columns}u; c++) { bits[c][r] = ${word}; }
  }`;
}

/** WGSL of the random bits where the own rows are keys: query tx * columns + c, key ty * 4 + r. */
export function bitsByKey({ dropout }: TileConstants, { columns }: TileSizes): string {
  if (dropout === 'none') return '';
  return /* wgsl */ `
  var bits: array<vec4u, ${columns}>;
  for (var c = 0u; c < ${columns}u; c++) {
    let state = rowState(u32(sequence.start + min(t + i32(tx * ${columns}u + c), sequence.count - 1)));
    let element = head * uniforms.keyStride + u32(first) + ty * 4u;
    ${
      dropout === 'grouped'
        ? 'bits[c] = dropoutQuad(state, element >> 2u, uniforms.site);'
        : 'for (var r = 0u; r < 4u; r++) { bits[c][r] = dropoutElement(state, element + r, uniforms.site); }'
    }
  }`;
}

/** WGSL: a value with dropout applied by the bits of looped row `c`. */
export const dropped = ({ dropout }: TileConstants, value: string): string =>
  dropout === 'none'
    ? value
    : `select(vec4f(0.0), ${value} * uniforms.keepScale, bits[c] >= vec4u(uniforms.threshold))`;

/**
 * WGSL with which the workgroups behind the last sequence go over the rows that no sequence has, 32 rows a thread and a bit
 * a row: asking every sequence about every row is a loop of thousands of reads, which the whole pass waits for.
 *
 * @param thread WGSL of a thread's number in its workgroup
 * @param write WGSL of what becomes of such a row, `row`
 */
export const freeRows = (threads: number, thread: string, write: string): string => /* wgsl */ `
  if (workgroup.z == uniforms.sequences) {
    for (var row0 = i32(workgroup.x * ${threads}u + ${thread}) * 32; row0 < uniforms.rows; row0 += i32(workgroups.x) * ${32 * threads}) {
      var free = 0xffffffffu;
      for (var s = 0u; s < uniforms.sequences; s++) {
        let sequence = sequenceAt(s);
        let low = clamp(sequence.start - row0, 0, 32);
        let high = clamp(sequence.start + sequence.count - row0, 0, 32);
        if (high > low) { free &= ~((0xffffffffu >> u32(32 - (high - low))) << u32(low)); }
      }
      while (free != 0u) {
        let row = row0 + i32(countTrailingZeros(free));
        free &= free - 1u;
        if (row >= uniforms.rows) { break; }
        ${write}
      }
    }
    return;
  }`;

/** WGSL: the head of keys and values that a head of queries meets. */
export const KEY_HEAD = 'let keyHead = head / (uniforms.heads / uniforms.keyHeads);';

/** WGSL that clears a head's part of a row of dqkv, `row`; heads of queries that share one of keys write the same zeros. */
export const zeroRow = (depth: number): string => /* wgsl */ `for (var d = 0u; d < ${depth}u; d++) {
        writeDqkv(row, 0u, head, d, vec4f(0.0));
        writeDqkv(row, 1u, keyHead, d, vec4f(0.0));
        writeDqkv(row, 2u, keyHead, d, vec4f(0.0));
      }`;

export const NO_KEYS = `${NO_KEYS_LSE.toExponential()}f`;
export const MASKED = `${MASKED_SCORE.toExponential()}f`;
