import { HpoError } from '../../errors';
import { directionNumbers, sobolDimensions } from './sobol-directions';

/** Bits of a coordinate: as many as scipy takes, and so 2 ** 30 points. */
const bits = 30;

/** Direction numbers of the dimension with this polynomial. Source: scipy.stats._sobol._initialize_v. */
function directionsOf(polynomial: number, initial: readonly number[]): Uint32Array {
  const degree = initial.length;
  const numbers = new Uint32Array(bits);
  numbers.set(initial);
  for (let j = degree; j < bits; j++) {
    let number = numbers[j - degree]!;
    for (let k = 0; k < degree; k++) {
      if ((polynomial >>> (degree - 1 - k)) & 1) number ^= numbers[j - k - 1]! << (k + 1);
    }
    numbers[j] = number;
  }
  return numbers.map((number, j) => number << (bits - 1 - j));
}

let tables: readonly Uint32Array[] | undefined;

function directions(): readonly Uint32Array[] {
  tables ??= [
    directionsOf(
      1,
      Array.from({ length: bits }, () => 1),
    ),
    ...directionNumbers
      .trim()
      .split(/\s+/)
      .map((entry) => {
        const [polynomial, initial] = entry.split(':') as [string, string];
        return directionsOf(Number(polynomial), initial.split(',').map(Number));
      }),
  ];
  return tables;
}

/** Point `index` of the Sobol sequence, each coordinate in [0, 1). Throws HpoError `UNSUPPORTED` beyond the table's dimensions. */
export function sobolPoint(index: number, dimensions: number): number[] {
  if (dimensions > sobolDimensions) {
    throw new HpoError('UNSUPPORTED', `a Sobol sequence of ${dimensions} parameters is more than ${sobolDimensions}`, {
      value: dimensions,
      remedy: "Use qmcType 'halton'",
    });
  }
  const gray = index ^ (index >>> 1);
  return directions()
    .slice(0, dimensions)
    .map((numbers) => {
      let point = 0;
      for (let j = 0; j < bits; j++) if ((gray >>> j) & 1) point ^= numbers[j]!;
      return point / 2 ** bits;
    });
}
