import { DropoutStream, dropoutNumbers } from '../../random/dropout-stream';

/**
 * Inverted dropout in float64 (Srivastava et al. 2014, with torch's scaling at training time): dropped elements are 0,
 * kept ones are divided by 1 - rate. x is rows of `columns`. Its own backward pass: apply it to dy.
 */
export function dropoutReference(
  x: ArrayLike<number>,
  random: ArrayLike<number>,
  { rate, site, columns }: { rate: number; site: number; columns: number },
): Float64Array {
  const { threshold } = dropoutNumbers(rate);
  const stream = new DropoutStream(random, site, threshold);
  return Float64Array.from(x, (value, at) =>
    stream.keeps(Math.floor(at / columns), at % columns) ? value / (1 - rate) : 0,
  );
}
