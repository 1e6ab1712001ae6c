// 4-bit weights as bitsandbytes stores them: two to a byte, the high nibble first, one absmax for each `blocksize`
// consecutive elements of the flattened weight. A value is code[nibble]·absmax, rounded once to float32.

/** The 16 floats of a code as four tables of 16 bytes, plane b holding byte b of every float, for i8x16.swizzle. */
// @ts-ignore: decorator
@inline
function bytePlane(code: usize, b: i32): v128 {
  const c0 = v128.load(code), c1 = v128.load(code, 16), c2 = v128.load(code, 32), c3 = v128.load(code, 48);
  if (b == 0) return planeOf(
    v128.shuffle<u8>(c0, c1, 0, 4, 8, 12, 16, 20, 24, 28, 0, 0, 0, 0, 0, 0, 0, 0),
    v128.shuffle<u8>(c2, c3, 0, 4, 8, 12, 16, 20, 24, 28, 0, 0, 0, 0, 0, 0, 0, 0),
  );
  if (b == 1) return planeOf(
    v128.shuffle<u8>(c0, c1, 1, 5, 9, 13, 17, 21, 25, 29, 0, 0, 0, 0, 0, 0, 0, 0),
    v128.shuffle<u8>(c2, c3, 1, 5, 9, 13, 17, 21, 25, 29, 0, 0, 0, 0, 0, 0, 0, 0),
  );
  if (b == 2) return planeOf(
    v128.shuffle<u8>(c0, c1, 2, 6, 10, 14, 18, 22, 26, 30, 0, 0, 0, 0, 0, 0, 0, 0),
    v128.shuffle<u8>(c2, c3, 2, 6, 10, 14, 18, 22, 26, 30, 0, 0, 0, 0, 0, 0, 0, 0),
  );
  return planeOf(
    v128.shuffle<u8>(c0, c1, 3, 7, 11, 15, 19, 23, 27, 31, 0, 0, 0, 0, 0, 0, 0, 0),
    v128.shuffle<u8>(c2, c3, 3, 7, 11, 15, 19, 23, 27, 31, 0, 0, 0, 0, 0, 0, 0, 0),
  );
}

// @ts-ignore: decorator
@inline
function planeOf(first: v128, second: v128): v128 {
  return v128.shuffle<u64>(first, second, 0, 2);
}

/** The nibbles of the low 8 bytes of `bytes`, in the order of the elements. */
// @ts-ignore: decorator
@inline
function nibbles(bytes: v128): v128 {
  const high = v128.and(i16x8.shr_u(bytes, 4), i8x16.splat(15)), low = v128.and(bytes, i8x16.splat(15));
  return v128.shuffle<u8>(high, low, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

// @ts-ignore: decorator
@inline
function lowBytes(a: v128, b: v128): v128 {
  return v128.shuffle<u8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

// @ts-ignore: decorator
@inline
function highBytes(a: v128, b: v128): v128 {
  return v128.shuffle<u8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

// @ts-ignore: decorator
@inline
function lowWords(a: v128, b: v128): v128 {
  return v128.shuffle<u16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}

// @ts-ignore: decorator
@inline
function highWords(a: v128, b: v128): v128 {
  return v128.shuffle<u16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}

/**
 * target[16] from 8 packed bytes. Each byte of the floats comes out of its own table, and interleaving the four makes
 * the floats.
 */
// @ts-ignore: decorator
@inline
function sixteen(plane0: v128, plane1: v128, plane2: v128, plane3: v128, packed: usize, scales: v128, target: usize): void {
  const index = nibbles(v128.load_zero<u64>(packed));
  const b0 = i8x16.swizzle(plane0, index), b1 = i8x16.swizzle(plane1, index);
  const b2 = i8x16.swizzle(plane2, index), b3 = i8x16.swizzle(plane3, index);
  const low01 = lowBytes(b0, b1), low23 = lowBytes(b2, b3), high01 = highBytes(b0, b1), high23 = highBytes(b2, b3);
  v128.store(target, f32x4.mul(lowWords(low01, low23), scales));
  v128.store(target, f32x4.mul(highWords(low01, low23), scales), 16);
  v128.store(target, f32x4.mul(lowWords(high01, high23), scales), 32);
  v128.store(target, f32x4.mul(highWords(high01, high23), scales), 48);
}

/** out[count] from elements start .. start + count of a flattened weight; any start, count and blocksize. */
export function dequantizeRun(
  packed: usize, absmax: usize, code: usize, blocksize: u32, start: u32, count: i32, out: usize,
): void {
  const plane0 = bytePlane(code, 0), plane1 = bytePlane(code, 1), plane2 = bytePlane(code, 2), plane3 = bytePlane(code, 3);
  while (count > 0) {
    const block = start / blocksize;
    const run = <i32>min(<u32>count, (block + 1) * blocksize - start);
    const scale = load<f32>(absmax + (<usize>block << 2)), scales = f32x4.splat(scale);
    let i = 0;
    if ((start & 1) != 0) {
      store<f32>(out, valueOf(packed, code, start) * scale);
      i = 1;
    }
    for (; i + 16 <= run; i += 16) {
      sixteen(plane0, plane1, plane2, plane3, packed + <usize>((start + i) >> 1), scales, out + (<usize>i << 2));
    }
    for (; i < run; i++) store<f32>(out + (<usize>i << 2), valueOf(packed, code, start + i) * scale);
    out += <usize>run << 2;
    start += run;
    count -= run;
  }
}

/** code[nibble] of one element. */
// @ts-ignore: decorator
@inline
function valueOf(packed: usize, code: usize, element: u32): f32 {
  const byte = <u32>load<u8>(packed + <usize>(element >> 1));
  const nibble = (element & 1) != 0 ? byte & 15 : byte >> 4;
  return load<f32>(code + (<usize>nibble << 2));
}

/**
 * panel[rows][16]: columns column .. column + 16 of `rows` rows from `row` on of W[?,width]. width and column are
 * multiples of 16 and blocksize is a power of two from 16 on, so sixteen neighbours share a block and begin a byte.
 */
export function dequantizeColumns(
  packed: usize, absmax: usize, code: usize, blocksize: u32, row: u32, rows: i32, column: u32, width: u32, panel: usize,
): void {
  const plane0 = bytePlane(code, 0), plane1 = bytePlane(code, 1), plane2 = bytePlane(code, 2), plane3 = bytePlane(code, 3);
  const shift = ctz(blocksize);
  let element = row * width + column;
  for (let r = 0; r < rows; r++) {
    const scale = load<f32>(absmax + (<usize>(element >> shift) << 2));
    sixteen(plane0, plane1, plane2, plane3, packed + <usize>(element >> 1), f32x4.splat(scale), panel);
    panel += 64;
    element += width;
  }
}

/** out[n] = code[nibble]·absmax[i / blocksize]: bitsandbytes' dequantize_4bit to float32. */
export function dequantize4bit(packed: usize, n: i32, absmax: usize, code: usize, blocksize: i32, out: usize): void {
  dequantizeRun(packed, absmax, code, blocksize, 0, n, out);
}
