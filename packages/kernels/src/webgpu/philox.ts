import { DROPOUT_ROUNDS, RANDOM_HEADER } from '../random/dropout-stream';

/**
 * WGSL of Philox4x32-7 and of the dropout stream on it; src/random is the same in TypeScript. WGSL has no product of
 * 64 bits, so the high half is put together from products of 16-bit halves.
 *
 * Cost: some 200 operations a draw, which decides on eight elements.
 */
export const PHILOX = /* wgsl */ `
fn multiplyHigh(a: u32, b: u32) -> u32 {
  let aLow = a & 0xffffu;
  let aHigh = a >> 16u;
  let bLow = b & 0xffffu;
  let bHigh = b >> 16u;
  let middle = aHigh * bLow + ((aLow * bLow) >> 16u);
  let cross = aLow * bHigh + (middle & 0xffffu);
  return aHigh * bHigh + (middle >> 16u) + (cross >> 16u);
}

fn philox4x32(start: vec4u, startKey: vec2u) -> vec4u {
  var counter = start;
  var key = startKey;
  for (var round = 0; round < ${DROPOUT_ROUNDS}; round++) {
    let high0 = multiplyHigh(0xd2511f53u, counter.x);
    let low0 = 0xd2511f53u * counter.x;
    let high1 = multiplyHigh(0xcd9e8d57u, counter.z);
    let low1 = 0xcd9e8d57u * counter.z;
    counter = vec4u(high1 ^ counter.y ^ key.x, low1, high0 ^ counter.w ^ key.y, low0);
    key += vec2u(0x9e3779b9u, 0xbb67ae85u);
  }
  return counter;
}

`;

/** WGSL of the dropout stream, over a buffer `random` of RANDOM_BUFFER. */
export const DROPOUT = /* wgsl */ `${PHILOX}
// What a row of the random state draws with: seed low, seed high, step, the row's number.
fn rowState(row: u32) -> vec4u {
  return bitcast<vec4u>(vec4i(random[0], random[1], random[2], random[${RANDOM_HEADER}u + row]));
}

// The random words of elements 8 * group .. 8 * group + 7 of a row, two elements a word.
fn dropoutWords(state: vec4u, group: u32, site: u32) -> vec4u {
  return philox4x32(vec4u(group, site, state.z, state.w), state.xy);
}

// Two words as the 16 bits of four elements.
fn dropoutBits(words: vec2u) -> vec4u { return vec4u(words.x & 0xffffu, words.x >> 16u, words.y & 0xffffu, words.y >> 16u); }

// The random bits of elements 4 * quad .. 4 * quad + 3 of a row, for who has no use for all eight of a draw.
fn dropoutQuad(state: vec4u, quad: u32, site: u32) -> vec4u {
  let words = dropoutWords(state, quad >> 1u, site);
  return dropoutBits(select(words.xy, words.zw, (quad & 1u) == 1u));
}

fn dropoutElement(state: vec4u, element: u32, site: u32) -> u32 {
  return dropoutQuad(state, element >> 2u, site)[element & 3u];
}
`;

/** The random state as a shader has it. */
export const RANDOM_BUFFER = 'read array<i32>' as const;
