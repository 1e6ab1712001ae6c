/**
 * WGSL: NaN, which no constant expression may hold. It comes out of a comparison the compiler can't decide, on a
 * value at hand: kernels answer a bad index with it, so that it shows in the loss instead of passing for data.
 */
export const NAN = /* wgsl */ `
fn notANumber(lane: u32) -> f32 { return bitcast<f32>(select(0x7fc00000u, 0u, lane > 0xfffffff0u)); }
`;

/** A float32 as a WGSL expression with its very bits. */
export function exactLiteral(value: number): string {
  const bits = new DataView(new ArrayBuffer(4));
  bits.setFloat32(0, value);
  return `bitcast<f32>(0x${bits.getUint32(0).toString(16)}u)`;
}
