// quantize4bit {"quantType":"int4"}

const THREADS = 32u;
struct Uniforms { size: u32, blocks: u32, blocksize: u32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> packed: array<u32>;
@group(0) @binding(2) var<storage, read_write> absmax: array<f32>;
@group(0) @binding(3) var<uniform> uniforms: Uniforms;


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


fn codeOf(scaled: f32) -> u32 {
  let level = u32(scaled > bitcast<f32>(0xbf6db6dcu))
    + u32(scaled > bitcast<f32>(0xbf492492u))
    + u32(scaled > bitcast<f32>(0xbf24924au))
    + u32(scaled > bitcast<f32>(0xbf000000u))
    + u32(scaled > bitcast<f32>(0xbeb6db6eu))
    + u32(scaled > bitcast<f32>(0xbe5b6db8u))
    + u32(scaled > bitcast<f32>(0xbd924925u))
    + u32(scaled > bitcast<f32>(0x3d924925u))
    + u32(scaled > bitcast<f32>(0x3e5b6db8u))
    + u32(scaled > bitcast<f32>(0x3eb6db6eu))
    + u32(scaled > bitcast<f32>(0x3f000000u))
    + u32(scaled > bitcast<f32>(0x3f24924au))
    + u32(scaled > bitcast<f32>(0x3f492492u))
    + u32(scaled > bitcast<f32>(0x3f6db6dcu))
    + u32(scaled > bitcast<f32>(0x3f800000u));
  return (select(1985229328u, 4275878552u, level >= 8u) >> ((level & 7u) * 4u)) & 15u;
}


@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32) {
  let block = workgroup.y * workgroups.x + workgroup.x;
  if (block >= uniforms.blocks) { return; }
  let first = block * uniforms.blocksize;
  let end = min(first + uniforms.blocksize, uniforms.size);
  let whole = end - first == uniforms.blocksize;
  let bits = blockAbsmaxBits(first, end, lane);
  let divisor = max(bits, MIN_ABSMAX_BITS);
  if (lane == 0u) { absmax[block] = bitcast<f32>(select(divisor, bits, whole)); }
  let reciprocal = divideExactly(ONE_BITS, divisor);
  for (var i = first + lane * 8u; i < end; i += THREADS * 8u) {
    var word = 0u;
    // An odd end is padded with a zero.
    for (var e = 0u; e < min(8u, (end - i + 1u) & 0xfffffffeu); e++) {
      var scaled = 0.0;
      if (i + e < end) {
        let value = x[i + e];
        if (whole) {
          scaled = clamp(value * reciprocal, -1.0, 1.0);
        } else {
          let magnitude = divideExactly(bitcast<u32>(value) & 0x7fffffffu, divisor);
          scaled = select(magnitude, -magnitude, value < 0.0);
        }
      }
      word |= codeOf(scaled) << ((e >> 1u) * 8u + 4u - (e & 1u) * 4u);
    }
    packed[i >> 3u] = word;
  }
}
