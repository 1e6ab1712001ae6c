/** A small generator of its own (mulberry32), so that no test leans on the Philox under test. */
function uniforms(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Normally distributed float32 values. */
export function normals(seed: number, count: number, std = 1, mean = 0): Float32Array {
  const next = uniforms(seed);
  return Float32Array.from(
    { length: count },
    () => mean + std * Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
  );
}

/** Integers in [0, below). */
export function integers(seed: number, count: number, below: number): Int32Array {
  const next = uniforms(seed);
  return Int32Array.from({ length: count }, () => Math.floor(next() * below));
}
