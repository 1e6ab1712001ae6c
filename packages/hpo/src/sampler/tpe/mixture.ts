import { type DiscreteKernels } from './kernels';
import { type KernelTable, perKernel } from './kernel-table';
import { type ContinuousKernels } from './numerical-kernels';

/** Terms so far below the largest one change no digit of a sum of as many as there are trials. */
const negligible = 40;

/** The parts of a mixture of products of kernels. */
export interface Mixture {
  /** Slots of the kernels, the prior's last. */
  slots: Int32Array;
  /** In the order of the slots. */
  logWeights: Float64Array;
  table: KernelTable;
  /** In the order of the table, with the points' values. */
  continuous: readonly { kernels: ContinuousKernels; values: Float64Array }[];
  discrete: readonly { kernels: DiscreteKernels; values: Float64Array }[];
  /** Number of points. */
  size: number;
}

/** Logarithm of a mixture's density at each point. */
export function logMixtureDensities(mixture: Mixture): Float64Array {
  const { slots, logWeights, continuous, discrete, size } = mixture;
  // What the parameters from one on can still add, at most.
  const ceilings = new Float64Array(continuous.length + 1);
  for (let i = continuous.length - 1; i >= 0; i--)
    ceilings[i] = ceilings[i + 1]! + continuous[i]!.kernels.ceiling(slots);
  const sums = new Float64Array(slots.length);
  const point = new Float64Array(continuous.length);
  return Float64Array.from({ length: size }, (_, i) => {
    sums.set(logWeights);
    for (const { kernels, values } of discrete) kernels.addLogDensities(values[i]!, slots, sums);
    for (const [parameter, { kernels, values }] of continuous.entries()) {
      if (!kernels.contains(values[i]!)) return -Infinity;
      point[parameter] = kernels.scaled(values[i]!);
    }
    const highest = addContinuous(mixture, { point, ceilings, sums });
    return highest === -Infinity ? -Infinity : highest + Math.log(sumOfExponentials(sums, highest));
  });
}

/**
 * Adds the log densities of a point under the continuous parameters' kernels, and returns the highest sum. A kernel
 * that falls so far below the best one that the parameters left can't lift it again is given up halfway.
 */
function addContinuous(
  { slots, table: { data, stride } }: Mixture,
  { point, ceilings, sums }: { point: Float64Array; ceilings: Float64Array; sums: Float64Array },
): number {
  const parameters = point.length;
  let highest = -Infinity;
  let floor = -Infinity;
  // The prior first: wherever the point is, it is not far.
  for (let i = slots.length - 1; i >= 0; i--) {
    let sum = sums[i]!;
    let place = slots[i]! * stride;
    for (let parameter = 0; parameter < parameters; parameter++) {
      if (sum + ceilings[parameter]! < floor) {
        sum = -Infinity;
        break;
      }
      const z = (point[parameter]! - data[place]!) * data[place + 1]!;
      sum += data[place + 2]! - 0.5 * z * z;
      place += perKernel;
    }
    sums[i] = sum;
    if (sum > highest) {
      highest = sum;
      floor = sum - negligible;
    }
  }
  return highest;
}

function sumOfExponentials(terms: Float64Array, highest: number): number {
  let sum = 0;
  for (let i = 0; i < terms.length; i++) {
    const below = terms[i]! - highest;
    if (below > -negligible) sum += Math.exp(below);
  }
  return sum;
}
