/** A decimal number, exact: `digits * 10 ** exponent`. */
interface Decimal {
  digits: bigint;
  exponent: number;
}

/** The decimal that the shortest text of a float stands for, as Python's `Decimal(str(x))` takes it: 0.1 is one tenth. */
function decimalOf(value: number): Decimal {
  const [, sign, whole, fraction = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value))!;
  return { digits: BigInt(`${sign}${whole}${fraction}`), exponent: Number(exponent) - fraction.length };
}

/** Low, high and step as whole multiples of one power of ten. */
function scaled({ low, high, step }: { low: number; high: number; step: number }) {
  const parts = [decimalOf(low), decimalOf(high), decimalOf(step)] as const;
  const exponent = Math.min(...parts.map((part) => part.exponent));
  const [lowDigits, highDigits, stepDigits] = parts.map(
    (part) => part.digits * 10n ** BigInt(part.exponent - exponent),
  ) as [bigint, bigint, bigint];
  return { lowDigits, highDigits, stepDigits, exponent };
}

/**
 * The number of whole steps from low to high and the highest value they reach, in decimal arithmetic, so that
 * [0, 1] by 0.1 has ten steps although the float 0.1 is a little more than a tenth.
 * Source: optuna.distributions._adjust_discrete_uniform_high.
 */
export function wholeSteps(range: { low: number; high: number; step: number }): { steps: bigint; reached: number } {
  const { lowDigits, highDigits, stepDigits, exponent } = scaled(range);
  const steps = (highDigits - lowDigits) / stepDigits;
  return { steps, reached: Number(`${steps * stepDigits + lowDigits}e${exponent}`) };
}

/** low, low + step, ... up to high, in decimal arithmetic. Source: optuna.samplers._brute_force._enumerate_candidates. */
export function decimalRange(range: { low: number; high: number; step: number }): number[] {
  const { lowDigits, highDigits, stepDigits, exponent } = scaled(range);
  const values: number[] = [];
  for (let digits = lowDigits; digits <= highDigits; digits += stepDigits) values.push(Number(`${digits}e${exponent}`));
  return values;
}
