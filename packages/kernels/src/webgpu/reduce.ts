/**
 * WGSL of a sum over the workgroup: every thread calls `workgroupSum` in uniform control flow and gets the total.
 * The order of addition depends on the workgroup's size alone.
 *
 * @param type what is summed: f32, vec2f, ...
 * @param threads a power of two
 */
export const workgroupSum = (type: string, threads: number): string => /* wgsl */ `
var<workgroup> partialSums: array<${type}, ${threads}>;

fn workgroupSum(lane: u32, value: ${type}) -> ${type} {
  partialSums[lane] = value;
  workgroupBarrier();
  for (var half = ${threads / 2}u; half > 0u; half >>= 1u) {
    if (lane < half) { partialSums[lane] += partialSums[lane + half]; }
    workgroupBarrier();
  }
  let total = partialSums[0];
  workgroupBarrier();
  return total;
}
`;

/**
 * WGSL of `lastStartingBy(at, count)`: which of `count` elements of a buffer, ordered by their field `start`, is the last
 * that starts at `at` or before; the first starts at 0.
 */
export const lastStartingBy = (buffer: string): string => /* wgsl */ `
fn lastStartingBy(at: u32, count: u32) -> u32 {
  var low = 0u;
  var high = count - 1u;
  while (low < high) {
    let middle = (low + high + 1u) / 2u;
    if (${buffer}[middle].start <= at) { low = middle; } else { high = middle - 1u; }
  }
  return low;
}
`;

/** Threads for a row of this many elements: a power of two that gives each at least four, between 32 and 256. */
export function threadsForRow(elements: number): number {
  let threads = 32;
  while (threads < 256 && threads * 4 < elements) threads *= 2;
  return threads;
}
