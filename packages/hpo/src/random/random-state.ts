import { HpoError, shown } from '../errors';
import { MersenneTwister } from './mersenne-twister';

/** The draws samplers need, in the order and arithmetic of numpy.random.RandomState: the same seed gives the same numbers. */
export class RandomState {
  private readonly twister: MersenneTwister;

  /** @param seed an integer in [0, 2 ** 32); left out, one from the platform's source of randomness */
  constructor(seed?: number) {
    if (seed !== undefined && !(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32)) {
      throw new HpoError('INVALID_ARGUMENT', `seed must be an integer from 0 to 2 ** 32 - 1, but is ${shown(seed)}`, {
        value: seed,
      });
    }
    this.twister = new MersenneTwister(seed ?? crypto.getRandomValues(new Uint32Array(1))[0]!);
  }

  /** A float in [0, 1) with 53 random bits. */
  random(): number {
    const high = this.twister.uint32() >>> 5;
    const low = this.twister.uint32() >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  }

  /** A float in [low, high). */
  uniform(low: number, high: number): number {
    return low + (high - low) * this.random();
  }

  /** An integer from 0 to `max`, both included; max is below 2 ** 32. */
  integer(max: number): number {
    if (max === 0) return 0;
    const mask = 0xffffffff >>> Math.clz32(max);
    for (;;) {
      const value = (this.twister.uint32() & mask) >>> 0;
      if (value <= max) return value;
    }
  }

  /** `size` indices drawn with the probabilities `weights`, which sum to 1. */
  choices(weights: ArrayLike<number>, size: number): Int32Array {
    const cumulative = new Float64Array(weights.length);
    let sum = 0;
    for (let i = 0; i < weights.length; i++) cumulative[i] = sum += weights[i]!;
    for (let i = 0; i < weights.length; i++) cumulative[i]! /= sum;
    return Int32Array.from({ length: size }, () => {
      const quantile = this.random();
      const index = cumulative.findIndex((upTo) => quantile < upTo);
      return index < 0 ? weights.length - 1 : index;
    });
  }

  /** Puts the items in random order, in place. */
  shuffle(items: unknown[]): void {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.integer(i);
      [items[i], items[j]] = [items[j], items[i]];
    }
  }
}
