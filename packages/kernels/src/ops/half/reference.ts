/**
 * The float16 nearest to a value, ties to even, as a number: IEEE 754's rounding by its definition, on the grid of the
 * value's binade. Beyond the largest it is the largest.
 */
export function halfReference(value: number): number {
  const magnitude = Math.abs(value);
  if (magnitude === 0 || Number.isNaN(value)) return value;
  const step = 2 ** (Math.max(-14, Math.floor(Math.log2(magnitude))) - 10);
  const steps = magnitude / step;
  const below = Math.floor(steps);
  const rest = steps - below;
  const up = rest > 0.5 || (rest === 0.5 && below % 2 === 1);
  return Math.sign(value) * Math.min(65504, (below + (up ? 1 : 0)) * step);
}
