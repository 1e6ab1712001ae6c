import { DropoutStream, dropoutNumbers } from '../../random/dropout-stream';

/**
 * Inverted dropout in float64 (Srivastava et al. 2014, with torch's scaling at training time): dropped elements are 0,
 * kept ones are divided by 1 - rate. Its own backward pass: apply it to dy.
 */
export function dropoutReference(
  x: ArrayLike<number>,
  random: ArrayLike<number>,
  { rate, site }: { rate: number; site: number },
): Float64Array {
  const { threshold } = dropoutNumbers(rate);
  const stream = new DropoutStream(random, site, threshold);
  return Float64Array.from(x, (value, element) => (stream.keeps(element) ? value / (1 - rate) : 0));
}
