import { checkedInteger } from './errors';

/**
 * Blackman and Vigna's xoshiro128** ("Scrambled linear pseudorandom number generators", 2021), its state filled by
 * splitmix32: the same draws on every machine for the same seed.
 */
export class SeededRandom {
  private readonly state: Uint32Array;

  /** @param seed integer from 0 to 2^32 - 1 */
  constructor(seed: number) {
    let counter = checkedInteger('seed', seed, 0, 0xffffffff);
    this.state = Uint32Array.from({ length: 4 }, () => {
      counter = (counter + 0x9e3779b9) | 0;
      let mixed = Math.imul(counter ^ (counter >>> 16), 0x21f0aaad);
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
      return mixed ^ (mixed >>> 15);
    });
  }

  /** An integer from 0 to 2^32 - 1. */
  nextUint32(): number {
    const s = this.state;
    const product = Math.imul(s[1]!, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const shifted = s[1]! << 9;
    s[2]! ^= s[0]!;
    s[3]! ^= s[1]!;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= shifted;
    s[3] = (s[3]! << 11) | (s[3]! >>> 21);
    return result;
  }

  /** An integer below `bound` (at most 2^32), each equally likely: draws from the uneven remainder are repeated. */
  nextBelow(bound: number): number {
    const even = 2 ** 32 - (2 ** 32 % bound);
    for (;;) {
      const draw = this.nextUint32();
      if (draw < even) return draw % bound;
    }
  }
}
