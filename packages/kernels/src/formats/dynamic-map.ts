/** Exponents of the dynamic type: seven decades below one. */
const EXPONENTS = 7;

/**
 * The 8-bit dynamic map, ascending: a decimal exponent whose leading zeros shrink, and the bits left over as a linear
 * fraction (Dettmers, "8-Bit Approximations for Parallelism in Deep Learning"; bitsandbytes functional.py
 * create_dynamic_map). Same bits as bitsandbytes' tables.
 *
 * @returns float32 [256]; signed: zero at 127, -0.99296875 to 1; unsigned: 0 to 1
 */
export function createDynamicMap({ signed }: { signed: boolean }): Float32Array {
  const levels: number[] = [0, 1];
  for (let exponent = 0; exponent < EXPONENTS; exponent++) {
    const boundaries = linspaceFromTenth(2 ** (signed ? exponent : exponent + 1) + 1);
    const scale = Math.fround(10 ** (exponent - EXPONENTS + 1));
    for (let i = 0; i + 1 < boundaries.length; i++) {
      const mean = Math.fround(boundaries[i]! + boundaries[i + 1]!) / 2;
      const level = Math.fround(scale * mean);
      levels.push(level);
      if (signed) levels.push(-level);
    }
  }
  return Float32Array.from(levels).sort();
}

/**
 * torch.linspace(0.1, 1, count) in float32: from the start in the first half, from the end in the second, each value
 * rounded once as torch's fused multiply-add does (the sums are exact in float64).
 */
function linspaceFromTenth(count: number): Float32Array {
  const start = Math.fround(0.1);
  const step = Math.fround(Math.fround(1 - start) / (count - 1));
  return Float32Array.from({ length: count }, (_, i) =>
    i < count / 2 ? start + step * i : 1 - step * (count - 1 - i),
  );
}
