import { PHILOX } from '../../webgpu/philox';
import { NO_KEYS_LSE } from './types';

/** A score that is masked; finite, so that differences of two stay finite. */
export const MASKED_SCORE = -1e30;

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

export const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** One line of WGSL for each number below `count`. */
export const each = (count: number, line: (i: number) => string): string => range(count).map(line).join('\n  ');

/** WGSL that every attention kernel begins with. `bindings` declares the tensors; the uniforms come after them. */
export function preamble(constants: TileConstants, bindings: readonly string[]): string {
  const declared = bindings.map((text, i) => `@group(0) @binding(${i}) var<storage, ${text};`).join('\n');
  return /* wgsl */ `
struct Uniforms {
  rows: i32, heads: u32, sequences: u32, keyStride: u32,
  scale: f32, threshold: u32, keepScale: f32, site: u32,
}
${declared}
@group(0) @binding(${bindings.length}) var<uniform> uniforms: Uniforms;
${constants.dropout === 'none' ? '' : PHILOX}

struct Sequence { start: i32, count: i32, keyStart: i32, keyEnd: i32 }

// Kept within the rows, whatever the tensor says: nothing else stands between it and memory.
fn sequenceAt(index: u32) -> Sequence {
  let fields = sequences[index];
  let start = clamp(fields.x, 0, uniforms.rows);
  let count = clamp(fields.y, 0, uniforms.rows - start);
  let keyEnd = clamp(fields.w, 0, count);
  return Sequence(start, count, clamp(fields.z, 0, keyEnd), keyEnd);
}

fn inSomeSequence(row: i32) -> bool {
  for (var s = 0u; s < uniforms.sequences; s++) {
    let sequence = sequenceAt(s);
    if (row >= sequence.start && row < sequence.start + sequence.count) { return true; }
  }
  return false;
}
`;
}

/**
 * WGSL of a function that reads four columns of a head from a matrix of `parts` blocks of heads a row, 0 behind the
 * head's end.
 */
export function reader(name: string, matrix: string, parts: number, { headSize }: TileConstants): string {
  const block = `(u32(row) * ${parts}u + part) * uniforms.heads + head`;
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
export function writer(name: string, matrix: string, parts: number, { headSize }: TileConstants): string {
  const block = `(u32(row) * ${parts}u + part) * uniforms.heads + head`;
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
 * WGSL of products of a thread's four own rows (0..3) with its looped rows: adds to `into`0, `into`1, ... one vec4 over
 * the own rows each.
 */
export function scoreProducts(into: string, own: string, looped: string, { pitch, columns, depth }: TileSizes): string {
  return /* wgsl */ `
  ${each(columns, (c) => `var ${into}${c} = vec4f(0.0);`)}
  for (var d = 0u; d < ${depth}u; d++) {
    ${each(4, (r) => `let a${r} = ${own}[(ty * 4u + ${r}u) * ${pitch}u + d];`)}
    ${each(columns, (c) => `let b${c} = ${looped}[(${c * ACROSS}u + tx) * ${pitch}u + d];`)}
    ${each(columns, (c) => `${into}${c} += vec4f(dot(a0, b${c}), dot(a1, b${c}), dot(a2, b${c}), dot(a3, b${c}));`)}
  }`;
}

/** WGSL that adds weights · looped rows to a thread's part of the output, `into`RS for own row R and step S. */
export function outputProducts(
  into: string,
  weights: string,
  looped: string,
  { loopRows }: TileConstants,
  { pitch, steps, weightPitch, across }: TileSizes,
): string {
  return /* wgsl */ `
  for (var j = 0u; j < ${loopRows}u; j++) {
    let weight = ${weights}[j * ${weightPitch}u + ty];
    ${each(steps, (s) => {
      const value = `let b${s} = ${looped}[j * ${pitch}u + tx + ${s * across}u];`;
      return `${value} ${range(4)
        .map((r) => `${into}${r}${s} += weight[${r}] * b${s};`)
        .join(' ')}`;
    })}
  }`;
}

/** WGSL: `name`RS = 0 for every own row and step. */
export const outputZeros = (name: string, { steps }: TileSizes): string =>
  each(4 * steps, (i) => `var ${name}${Math.floor(i / steps)}${i % steps} = vec4f(0.0);`);

/** WGSL that writes a thread's part of the output: row R of its own rows, `first` + ty * 4 + R in the sequence. */
export function writeOutput(
  write: string,
  part: string,
  { steps, across, depth }: TileSizes,
  { first, value }: { first: string; value: (r: number, step: number) => string },
): string {
  return each(4, (r) => {
    const row = `${first} + i32(ty) * 4 + ${r}`;
    const lines = range(steps).map(
      (s) =>
        `if (tx + ${s * across}u < ${depth}u) { ${write}(sequence.start + ${row}, ${part}, head, tx + ${s * across}u, ${value(r, s)}); }`,
    );
    return `if (${row} < sequence.count) { ${lines.join(' ')} }`;
  });
}

/**
 * WGSL of the random words of a thread's looped keys, `words`C one vec4 over the own queries: query ty * 4 + R, key
 * tx * columns + C of the tile that begins at key `t`.
 */
export function wordsByQuery({ dropout }: TileConstants, { columns }: TileSizes, firstQuery: string): string {
  if (dropout === 'none') return '';
  const element = (r: number): string =>
    `let e${r} = ((u32(sequence.start + ${firstQuery}) + ty * 4u + ${r}u) * uniforms.heads + head) * uniforms.keyStride + u32(t) + tx * ${columns}u;`;
  const word = (r: number, c: number): string =>
    dropout === 'grouped'
      ? `block${r}[${columns === 4 ? c : `(e${r} & 3u) + ${c}u`}]`
      : `dropoutWord(random, e${r} + ${c}u, uniforms.site)`;
  return /* wgsl */ `
  ${each(4, element)}
  ${dropout === 'grouped' ? each(4, (r) => `let block${r} = dropoutWords(random, e${r} >> 2u, uniforms.site);`) : ''}
  ${each(
    columns,
    (c) =>
      `let words${c} = vec4u(${range(4)
        .map((r) => word(r, c))
        .join(', ')});`,
  )}`;
}

/** WGSL of the random words where the own rows are keys: query tx * columns + C, key ty * 4 + R. */
export function wordsByKey({ dropout }: TileConstants, { columns }: TileSizes, firstKey: string): string {
  if (dropout === 'none') return '';
  return each(columns, (c) => {
    const element = `let e${c} = ((u32(sequence.start + t) + tx * ${columns}u + ${c}u) * uniforms.heads + head) * uniforms.keyStride + u32(${firstKey}) + ty * 4u;`;
    const words =
      dropout === 'grouped'
        ? `dropoutWords(random, e${c} >> 2u, uniforms.site)`
        : `vec4u(${range(4)
            .map((r) => `dropoutWord(random, e${c} + ${r}u, uniforms.site)`)
            .join(', ')})`;
    return `${element}\n  let words${c} = ${words};`;
  });
}

/** WGSL: a value with dropout applied by the words of looped row `c`. */
export const dropped = ({ dropout }: TileConstants, value: string, c: number): string =>
  dropout === 'none'
    ? value
    : `select(vec4f(0.0), ${value} * uniforms.keepScale, words${c} >= vec4u(uniforms.threshold))`;

export const NO_KEYS = `${NO_KEYS_LSE.toExponential()}f`;
export const MASKED = `${MASKED_SCORE.toExponential()}f`;
