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
fn pack8(low: vec4f, high: vec4f) -> vec4u { return vec4u(pack(low.xy), pack(low.zw), pack(high.xy), pack(high.zw)); }
`;
