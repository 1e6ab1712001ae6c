/** WGSL and numbers that every shader on subgroup matrices shares; see `hasSubgroupMatrices`. */

/** Sides of a subgroup matrix, and lanes of a subgroup. */
export const FRAGMENT = 16;
export const LANES = 32;

/**
 * What gradients are multiplied by on their way to f16, and results divided by: a power of two. Most are below 6e-5,
 * where f16 loses digits; values up to 64 stay finite.
 */
export const SLOPE_SCALE = 1024;

export const times = <Text>(count: number, make: (index: number) => Text): Text[] =>
  Array.from({ length: count }, (_, index) => make(index));

export const MATRIX_EXTENSIONS = /* wgsl */ `
enable f16;
enable subgroups;
enable chromium_experimental_subgroup_matrix;
diagnostic(off, chromium.subgroup_matrix_uniformity);
diagnostic(off, subgroup_uniformity);
`;

export const MATRIX_TYPES = /* wgsl */ `
alias Left = subgroup_matrix_left<f16, ${FRAGMENT}, ${FRAGMENT}>;
alias Right = subgroup_matrix_right<f16, ${FRAGMENT}, ${FRAGMENT}>;
alias Sum = subgroup_matrix_result<f32, ${FRAGMENT}, ${FRAGMENT}>;
fn pack(pair: vec2f) -> u32 { return bitcast<u32>(vec2<f16>(pair)); }
fn pack4(quad: vec4f) -> vec2u { return vec2u(pack(quad.xy), pack(quad.zw)); }
fn pack8(low: vec4f, high: vec4f) -> vec4u { return vec4u(pack(low.xy), pack(low.zw), pack(high.xy), pack(high.zw)); }
`;

/**
 * Reading 32 bytes a lane in two loads makes each load touch twice the lines it needs. So the lanes of a subgroup read 64
 * neighbouring vec4 in two loads of 32, `first` and `second`, and neighbours swap what they lack: an even lane ends with
 * vec4 `lane` and the one after, an odd lane with those 31 further on.
 */
export const PAIRS = /* wgsl */ `
struct Pair { low: vec4f, high: vec4f }
fn pairOf(first: vec4f, second: vec4f, odd: bool) -> Pair {
  let got = subgroupShuffleXor(select(second, first, odd), 1u);
  return Pair(select(first, got, odd), select(got, second, odd));
}
fn pairUp(first: vec2u, second: vec2u, odd: bool) -> vec4u {
  let got = subgroupShuffleXor(select(second, first, odd), 1u);
  return select(vec4u(first, got), vec4u(got, second), odd);
}
`;

/** WGSL: number of the first vec4 that a lane reads in its `round`th pair of loads, of `threads` threads. */
export const pairFirst = (round: number, threads: number): string =>
  `((thread & ~${LANES - 1}u) * 2u + lane${round === 0 ? '' : ` + ${2 * round * threads}u`})`;

/** WGSL: number of the second one. */
export const pairSecond = (round: number, threads: number): string => `(${pairFirst(round, threads)} + ${LANES}u)`;

/** WGSL: number of the pair of vec4 that the lane ends with. */
export const pairUnit = (round: number, threads: number): string =>
  `(${pairFirst(round, threads)} + select(0u, ${LANES - 1}u, odd)) / 2u`;

/** WGSL: a float, or a vector of them, times a whole number. */
export const scaled = (value: string, scale: number): string => (scale === 1 ? value : `${value} * ${scale}.0`);
