/** A seed for part `index` of what `seed` is the seed of: 32 bits, well mixed (the finaliser of MurmurHash3, twice). */
export function mixedSeed(seed: number, index: number): number {
  const mix = (value: number) => {
    let bits = value >>> 0;
    bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
    bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
    return (bits ^ (bits >>> 16)) >>> 0;
  };
  return mix(mix(seed) + Math.imul(index, 0x9e3779b9));
}
