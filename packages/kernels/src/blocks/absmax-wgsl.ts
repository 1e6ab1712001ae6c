/**
 * WGSL: a / b for 0 <= a, 0 < b, finite, rounded to nearest as IEEE 754 asks. WGSL's own division may be 2.5 ulp off,
 * which moves a code where a scaled value lies near a bound; this is long division of the significands, bit by bit.
 * Results below the normal numbers become 0.
 */
const EXACT_DIVISION = /* wgsl */ `
// Significand in [2^23, 2^24) and the exponent of its last bit.
fn significand(bits: u32) -> vec2i {
  let fraction = bits & 0x7fffffu;
  let exponent = i32((bits >> 23u) & 255u);
  if (exponent > 0) { return vec2i(i32(fraction | 0x800000u), exponent - 150); }
  let shift = countLeadingZeros(fraction) - 8u;
  return vec2i(i32(fraction << shift), -149 - i32(shift));
}

fn divideExactly(numerator: u32, denominator: u32) -> f32 {
  if (numerator == 0u) { return 0.0; }
  let a = significand(numerator);
  let b = significand(denominator);
  let divisor = u32(b.x);
  var rest = u32(a.x);
  var exponent = a.y - b.y;
  if (rest < divisor) { rest <<= 1u; exponent -= 1; }
  // 24 bits of the quotient and one to round by.
  var quotient = 0u;
  for (var bit = 0; bit < 25; bit++) {
    quotient <<= 1u;
    if (rest >= divisor) { rest -= divisor; quotient |= 1u; }
    rest <<= 1u;
  }
  var rounded = quotient >> 1u;
  if ((quotient & 1u) == 1u && (rest != 0u || (rounded & 1u) == 1u)) { rounded += 1u; }
  if (rounded == 0x1000000u) { rounded = 0x800000u; exponent += 1; }
  if (exponent < -126) { return 0.0; }
  return bitcast<f32>((u32(exponent + 127) << 23u) | (rounded & 0x7fffffu));
}
`;

/**
 * WGSL: absmax of a block by the threads of one workgroup, as its bits, whose order is that of the floats; a block
 * with NaN or infinity gets NaN. Needs `x: array<f32>` and THREADS.
 */
export const BLOCK_ABSMAX = /* wgsl */ `
${EXACT_DIVISION}
const INFINITY_BITS = 0x7f800000u;
const NAN_BITS = 0x7fc00000u;
// 1e-38, the smallest divisor (bitsandbytes backends/default/ops.py).
const MIN_ABSMAX_BITS = 0x006ce3eeu;
const ONE_BITS = 0x3f800000u;
var<workgroup> largestBits: atomic<u32>;

fn blockAbsmaxBits(first: u32, end: u32, lane: u32) -> u32 {
  var largest = 0u;
  for (var i = first + lane; i < end; i += THREADS) { largest = max(largest, bitcast<u32>(x[i]) & 0x7fffffffu); }
  // WGSL promises zeros here; with Dawn's clearing off, a workgroup finds what the one before it left.
  if (lane == 0u) { atomicStore(&largestBits, 0u); }
  workgroupBarrier();
  atomicMax(&largestBits, largest);
  workgroupBarrier();
  let bits = atomicLoad(&largestBits);
  return select(bits, NAN_BITS, bits >= INFINITY_BITS);
}
`;
