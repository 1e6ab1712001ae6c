// Elementary functions of four floats. The polynomials are least-maximum fits of our own (Lawson's iteration on
// Chebyshev nodes); the errors named were measured against float64, and wasm/activation.test.ts holds their users to them.

// 2^23 · 1.5: added to a number below 2^22 it leaves the nearest integer in the low bits.
const ROUNDER: f32 = 12582912.0;
const LOG2_E: f32 = 1.44269504;
// ln 2 in two parts, the first with few enough bits that its product with an exponent is exact (Cody and Waite).
const LN2_HIGH: f32 = 0.693359375;
const LN2_LOW: f32 = -2.12194440e-4;
// Arguments beyond these overflow, or leave the normal numbers.
const EXP_HIGH: f32 = 88.7228317;
const EXP_LOW: f32 = -87.3365402;

/** r + r²·q(r) = e^r - 1 for |r| <= ln(2) / 2. In pairs (Estrin), since the chain of additions is what takes the time. */
// @ts-ignore: decorator
@inline
function expMinusOneSeries(r: v128): v128 {
  const squared = f32x4.mul(r, r);
  const low = f32x4.add(f32x4.mul(r, f32x4.splat(0.166665733)), f32x4.splat(0.5));
  const high = f32x4.add(f32x4.mul(r, f32x4.splat(0.00836373959)), f32x4.splat(0.0416668616));
  const upper = f32x4.add(f32x4.mul(squared, f32x4.splat(0.00139015343)), high);
  return f32x4.add(f32x4.mul(f32x4.add(f32x4.mul(upper, squared), low), squared), r);
}

/** e^x within 1e-7 relative; 0 below -87.336 (no subnormal results), e^88.7228 above it, NaN of NaN. */
// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  const clamped = f32x4.pmax(f32x4.pmin(x, f32x4.splat(EXP_HIGH)), f32x4.splat(EXP_LOW));
  const shifted = f32x4.add(f32x4.mul(clamped, f32x4.splat(LOG2_E)), f32x4.splat(ROUNDER));
  const n = f32x4.sub(shifted, f32x4.splat(ROUNDER));
  const r = f32x4.sub(f32x4.sub(clamped, f32x4.mul(n, f32x4.splat(LN2_HIGH))), f32x4.mul(n, f32x4.splat(LN2_LOW)));
  const p = f32x4.add(expMinusOneSeries(r), f32x4.splat(1));
  // The integer sits in the low bits of `shifted`: moved to the exponent's place it multiplies p by 2^n.
  const scaled = i32x4.add(p, i32x4.shl(shifted, 23));
  return v128.andnot(scaled, f32x4.lt(x, f32x4.splat(EXP_LOW)));
}

/**
 * tanh x within 2e-7 relative, by e^2|x| - 1 without cancellation: t / (t + 2). Odd exactly; 1 from 9.02 on.
 */
// @ts-ignore: decorator
@inline
export function tanh4(x: v128): v128 {
  const y = f32x4.pmin(f32x4.abs(f32x4.add(x, x)), f32x4.splat(18.04));
  const shifted = f32x4.add(f32x4.mul(y, f32x4.splat(LOG2_E)), f32x4.splat(ROUNDER));
  const n = f32x4.sub(shifted, f32x4.splat(ROUNDER));
  const r = f32x4.sub(f32x4.sub(y, f32x4.mul(n, f32x4.splat(LN2_HIGH))), f32x4.mul(n, f32x4.splat(LN2_LOW)));
  const power = i32x4.add(i32x4.shl(shifted, 23), f32x4.splat(1));
  const t = f32x4.add(f32x4.mul(power, expMinusOneSeries(r)), f32x4.sub(power, f32x4.splat(1)));
  const magnitude = f32x4.div(t, f32x4.add(t, f32x4.splat(2)));
  return v128.bitselect(x, magnitude, f32x4.splat(-0.0));
}

/**
 * The normal distribution's upper tail, P(X > |x|) = erfc(|x| / √2) / 2, within 6e-7 relative for |x| <= 3 and 5e-6 up to 12,
 * where the rounding of x² in `gauss`, e^(-x²/2), shows. erfc(z) = e^-z²·t·p(t) with t = 1 / (1 + 0.3 z), the form of Abramowitz and Stegun 7.1.26.
 */
// @ts-ignore: decorator
@inline
export function normalTail4(x: v128, gauss: v128): v128 {
  const z = f32x4.mul(f32x4.abs(x), f32x4.splat(0.707106781));
  const t = f32x4.div(f32x4.splat(1), f32x4.add(f32x4.mul(z, f32x4.splat(0.3)), f32x4.splat(1)));
  let p = f32x4.splat(-0.129434064);
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(0.485096365));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(-0.511226237));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(0.546394825));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(-0.0936311111));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(0.214436218));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(0.148482442));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(0.170691937));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(0.169189617));
  return f32x4.mul(f32x4.mul(f32x4.mul(p, t), f32x4.splat(0.5)), gauss);
}

/** Natural logarithm of a positive normal number, in float64 to 1e-14: 2 artanh((m - 1) / (m + 1)) + exponent·ln 2. */
export function logOf(x: f64): f64 {
  const bits = reinterpret<i64>(x);
  let exponent = <i32>(bits >> 52) - 1023;
  let mantissa = reinterpret<f64>((bits & 0x000fffffffffffff) | 0x3ff0000000000000);
  if (mantissa > 1.4142135623730951) {
    mantissa *= 0.5;
    exponent++;
  }
  const t = (mantissa - 1) / (mantissa + 1), s = t * t;
  let sum: f64 = 1.0 / 17;
  sum = sum * s + 1.0 / 15;
  sum = sum * s + 1.0 / 13;
  sum = sum * s + 1.0 / 11;
  sum = sum * s + 1.0 / 9;
  sum = sum * s + 1.0 / 7;
  sum = sum * s + 1.0 / 5;
  sum = sum * s + 1.0 / 3;
  sum = sum * s + 1;
  return 2 * t * sum + <f64>exponent * 0.6931471805599453;
}
