function firstPrimes(count: number): number[] {
  const primes: number[] = [];
  for (let candidate = 2; primes.length < count; candidate++) {
    if (primes.every((prime) => candidate % prime !== 0)) primes.push(candidate);
  }
  return primes;
}

/** `index` written in a base and mirrored at the point. Source: scipy.stats.qmc.van_der_corput. */
function vanDerCorput(index: number, base: number): number {
  let sum = 0;
  let rest = index;
  for (let place = 1 / base; rest > 0; place /= base) {
    sum += (rest % base) * place;
    rest = Math.floor(rest / base);
  }
  return sum;
}

/** Point `index` of the Halton sequence, each coordinate in [0, 1). */
export function haltonPoint(index: number, dimensions: number): number[] {
  return firstPrimes(dimensions).map((base) => vanDerCorput(index, base));
}
