import { scaledErfc } from './normal-tables';

const sqrt2 = Math.SQRT2;
/** Half the width of the interval around 0 in which erf is taken by its series, for its relative digits. */
const small = 0.5;
export const logSqrt2Pi = 0.5 * Math.log(2 * Math.PI);

/** The error function. */
export function erf(x: number): number {
  if (x < 0) return -erf(-x);
  if (x >= small) return 1 - erfc(x);
  let term = x;
  let sum = x;
  for (let n = 1; term > 1e-18 * sum; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** 1 - erf(x), without cancellation where x is large. */
export function erfc(x: number): number {
  return x < 0 ? 2 - erfc(-x) : Math.exp(-x * x) * scaledErfc(x);
}

/** Probability that a standard normal variable lies below x. */
export function normalCdf(x: number): number {
  return 0.5 * erfc(-x / sqrt2);
}

/** Logarithm of `normalCdf`, exact in both tails. */
export function logNormalCdf(x: number): number {
  if (x > 0) return Math.log1p(-normalCdf(-x));
  const scaled = -x / sqrt2;
  return -scaled * scaled + Math.log(0.5 * scaledErfc(scaled));
}

/** Logarithm of the standard normal density. */
function logNormalDensity(x: number): number {
  return -0.5 * x * x - logSqrt2Pi;
}

/** Logarithm of the probability that a standard normal variable lies in [a, b]. */
export function logNormalMass(a: number, b: number): number {
  // The left tail keeps its digits, so an interval on the right is looked at from the other side.
  if (a > 0) return logNormalMass(-b, -a);
  if (b <= 0) {
    const upTo = logNormalCdf(b);
    return upTo + Math.log1p(-Math.exp(logNormalCdf(a) - upTo));
  }
  return Math.log1p(-normalCdf(a) - normalCdf(-b));
}

/** log(exp(a) + exp(b)). */
export function logAddExp(a: number, b: number): number {
  if (a === b) return a + Math.LN2;
  const [high, low] = a > b ? [a, b] : [b, a];
  return high + Math.log1p(Math.exp(low - high));
}

/**
 * The x for which `logNormalCdf(x)` is the given logarithm (at most 0), by Newton's method.
 *
 * Near 0, where x is a large positive number, the other tail is solved. The start is the tail's asymptote
 * -sqrt(-2 (y + log sqrt(2 pi))), or the logistic distribution's quantile with the same variance in the middle.
 */
export function inverseLogNormalCdf(logProbability: number): number {
  if (logProbability > -1e-2) return -inverseLogNormalCdf(Math.log(-Math.expm1(logProbability)));
  let x =
    logProbability < -5
      ? -Math.sqrt(-2 * (logProbability + logSqrt2Pi))
      : (-Math.sqrt(3) / Math.PI) * Math.log(Math.expm1(-logProbability));
  for (let i = 0; i < 100; i++) {
    const logCdf = logNormalCdf(x);
    // The slope of log cdf is density / cdf; the quotient by way of logarithms does not underflow.
    const correction = (logCdf - logProbability) * Math.exp(logCdf - logNormalDensity(x));
    x -= correction;
    if (!(Math.abs(correction) >= 1e-8 * Math.abs(x))) break;
  }
  return x;
}

/** Quantile of the standard normal distribution cut to [a, b]: the x below which a share `q` of its mass lies. */
export function truncatedNormalQuantile(q: number, a: number, b: number): number {
  if (q === 0) return a;
  if (q === 1) return b;
  const logMass = logNormalMass(a, b);
  if (a < 0) return inverseLogNormalCdf(logAddExp(logNormalCdf(a), Math.log(q) + logMass));
  return -inverseLogNormalCdf(logAddExp(logNormalCdf(-b), Math.log1p(-q) + logMass));
}
