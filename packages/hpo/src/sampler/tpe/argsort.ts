export const networkLimit = 256;

/**
 * Indices that sort the values, in the order that numpy.argsort gives on x86 CPUs with AVX2 or AVX-512.
 *
 * Optuna gives each of several equal observations another bandwidth, by their order after numpy's unstable sort, so
 * that its densities hang on how numpy breaks ties: on these CPUs by a bitonic network that compares reversed halves
 * (x86-simd-sort; 256 values or fewer), padded to a power of two. This is that network. Longer lists are sorted stably.
 */
export function argsort(values: ArrayLike<number>): Int32Array {
  const length = values.length;
  const order = Int32Array.from({ length }, (_, i) => i);
  if (length > networkLimit) return order.sort((a, b) => values[a]! - values[b]!);

  // Indices from `length` on stand for the padding: infinities, which no comparison ever moves to the front.
  const exchange = (i: number, j: number) => {
    if (j >= length) return;
    const [first, second] = [order[i]!, order[j]!];
    if (values[first]! > values[second]!) [order[i], order[j]] = [second, first];
  };
  for (let size = 2; size < 2 * length; size *= 2) {
    for (let start = 0; start < length; start += size) {
      for (let i = 0; i < size / 2; i++) exchange(start + i, start + size - 1 - i);
    }
    for (let half = size / 4; half >= 1; half /= 2) {
      for (let start = 0; start < length; start += 2 * half) {
        for (let i = 0; i < half; i++) exchange(start + i, start + i + half);
      }
    }
  }
  return order;
}
