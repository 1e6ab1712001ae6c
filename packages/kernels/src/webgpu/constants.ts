/**
 * WGSL: NaN, which no constant expression may hold. It comes out of a comparison the compiler can't decide, on a
 * value at hand: kernels answer a bad index with it, so that it shows in the loss instead of passing for data.
 */
export const NAN = /* wgsl */ `
fn notANumber(lane: u32) -> f32 { return bitcast<f32>(select(0x7fc00000u, 0u, lane > 0xfffffff0u)); }
`;
