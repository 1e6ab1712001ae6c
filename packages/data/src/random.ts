import { DataError, shown } from './errors';

const uint64 = (1n << 64n) - 1n;
const uint128 = (1n << 128n) - 1n;
/** The multiplier of the 128-bit linear congruential step (O'Neill 2014, PCG, section 6.3.4). */
const pcgMultiplier = (2549297995355413924n << 64n) | 4865540595714422341n;

/**
 * Seeded random numbers, the same as numpy's `default_rng(seed)` gives (PCG64 XSL-RR fed by a SeedSequence;
 * numpy/random/bit_generator.pyx and numpy/random/_generator.pyx). Hugging Face's datasets draws its shuffles and
 * splits from that generator, so equal seeds pick equal rows here and there.
 */
export class SeededRandom {
  private state: bigint;
  private readonly increment: bigint;
  private spare: number | undefined;

  /** @param seed a non-negative safe integer, or several, for streams that are independent of each other */
  constructor(seed: number | readonly number[]) {
    const [high, low, sequenceHigh, sequenceLow] = seedWords(seed);
    this.increment = ((((sequenceHigh << 64n) | sequenceLow) << 1n) | 1n) & uint128;
    this.state = (this.increment + ((high << 64n) | low)) & uint128;
    this.step();
  }

  private step(): void {
    this.state = (this.state * pcgMultiplier + this.increment) & uint128;
  }

  private next64(): bigint {
    this.step();
    const folded = (this.state >> 64n) ^ (this.state & uint64);
    const rotation = this.state >> 122n;
    return ((folded >> rotation) | (folded << (64n - rotation))) & uint64;
  }

  /** 32 random bits: the low half of a 64-bit draw, then its high half. */
  private next32(): number {
    if (this.spare !== undefined) {
      const spare = this.spare;
      this.spare = undefined;
      return spare;
    }
    const word = this.next64();
    this.spare = Number(word >> 32n);
    return Number(word & 0xffffffffn);
  }

  /** Uniform in [0, 1), 53 random bits. */
  random(): number {
    return Number(this.next64() >> 11n) / 2 ** 53;
  }

  /** Uniform integer in [0, count), count from 1 to 2^32 - 1, without modulo bias (Lemire 2019, arXiv 1805.10941). */
  below(count: number): number {
    if (!Number.isInteger(count) || count < 1 || count > 0xffffffff) {
      throw new DataError('INVALID_OPTION', `below() takes a count from 1 to 2^32 - 1, got ${shown(count)}`, count);
    }
    if (count === 1) return 0;
    const range = BigInt(count);
    const threshold = 2 ** 32 % count;
    for (;;) {
      const product = BigInt(this.next32()) * range;
      if (Number(product & 0xffffffffn) >= threshold) return Number(product >> 32n);
    }
  }

  /** One of the items, each as likely. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  /** Uniform integer in [0, largest] by masking and rejecting: numpy's shuffle draws this way, its choice as `below`. */
  private within(largest: number): number {
    const mask = 2 ** (32 - Math.clz32(largest)) - 1;
    for (;;) {
      const candidate = (this.next32() & mask) >>> 0;
      if (candidate <= largest) return candidate;
    }
  }

  /** Shuffles in place, from the last element down (numpy's Generator.shuffle). */
  shuffle(items: { length: number; [index: number]: number }): void {
    for (let last = items.length - 1; last > 0; last--) swap(items, last, this.within(last));
  }

  /** The numbers 0 .. count - 1 in random order (numpy's Generator.permutation). */
  permutation(count: number): Int32Array {
    const order = Int32Array.from({ length: count }, (_, index) => index);
    this.shuffle(order);
    return order;
  }

  /** `size` distinct numbers of [0, count) in random order, by Floyd's algorithm (numpy's Generator.choice, replace=False, count <= 10,000). */
  sample(count: number, size: number): number[] {
    if (size > count)
      throw new DataError('INVALID_OPTION', `cannot draw ${size} distinct numbers out of ${count}`, size);
    const drawn: number[] = [];
    const seen = new Set<number>();
    for (let top = count - size; top < count; top++) {
      const candidate = this.below(top + 1);
      const chosen = seen.has(candidate) ? top : candidate;
      seen.add(chosen);
      drawn.push(chosen);
    }
    for (let last = size - 1; last > 0; last--) swap(drawn, last, this.below(last + 1));
    return drawn;
  }
}

function swap(items: { length: number; [index: number]: number }, one: number, other: number): void {
  const moved = items[one]!;
  items[one] = items[other]!;
  items[other] = moved;
}

/** Four 64-bit words out of a seed, by numpy's SeedSequence (pool of four 32-bit words, hashed and mixed). */
function seedWords(seed: number | readonly number[]): [bigint, bigint, bigint, bigint] {
  const entropy = (typeof seed === 'number' ? [seed] : seed).flatMap(entropyWords);
  if (entropy.length === 0) throw new DataError('INVALID_OPTION', 'a seed needs at least one number', seed);
  const absorb = hasher(0x43b0d7e5, 0x931e8875);
  const pool = Array.from({ length: 4 }, (_, index) => absorb(entropy[index] ?? 0));
  for (let source = 0; source < 4; source++) {
    for (let target = 0; target < 4; target++) {
      if (source !== target) pool[target] = mix(pool[target]!, absorb(pool[source]!));
    }
  }
  for (const word of entropy.slice(4)) {
    for (let target = 0; target < 4; target++) pool[target] = mix(pool[target]!, absorb(word));
  }
  const emit = hasher(0x8b51f9dd, 0x58f38ded);
  const words = Array.from({ length: 8 }, (_, index) => BigInt(emit(pool[index % 4]!)));
  const joined = (index: number): bigint => words[2 * index]! | (words[2 * index + 1]! << 32n);
  return [joined(0), joined(1), joined(2), joined(3)];
}

function entropyWords(seed: number): number[] {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new DataError('INVALID_OPTION', `a seed is an integer from 0 to 2^53 - 1, got ${shown(seed)}`, seed);
  }
  const high = Math.floor(seed / 2 ** 32);
  return high === 0 ? [seed] : [seed >>> 0, high];
}

/** A hash whose constant moves on with every word, so that equal words at different places give different results. */
function hasher(constant: number, multiplier: number): (word: number) => number {
  let moving = constant;
  return (word) => {
    const mixed = word ^ moving;
    moving = Math.imul(moving, multiplier);
    const product = Math.imul(mixed, moving);
    return (product ^ (product >>> 16)) >>> 0;
  };
}

function mix(left: number, right: number): number {
  const result = (Math.imul(0xca01f9dd, left) - Math.imul(0x4973f715, right)) | 0;
  return (result ^ (result >>> 16)) >>> 0;
}
