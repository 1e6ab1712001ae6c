import { tensor1d, type Tensor1D } from '@tensorflow/tfjs-core';
import { KernelError } from '../errors';
import { philox4x32 } from './philox';

/** Where a training run stands in its stream of random numbers. */
export interface RandomPosition {
  /** Seed of the run; 53 bits are used. */
  readonly seed: number;
  /** Optimiser step. */
  readonly step: number;
}

/** Words of a random state before those of its rows. */
export const RANDOM_HEADER = 4;

/**
 * The random state every dropout of a forward pass reads: int32 [4 + rows] = (seed low, seed high, step, 0), then a number
 * for each row of what is dropped out. A row's masks go by its number, wherever it lies: rows of one number share masks.
 * A tensor, so that a recorded step can be replayed with another step number and other rows.
 *
 * @param rows a number for each row, of which 32 bits are used; a count stands for 0, 1, 2, ...
 */
export function randomState(position: RandomPosition, rows: ArrayLike<number> | number): Tensor1D {
  return tensor1d(randomWords(position, rows), 'int32');
}

/** The values of a random state, for an input of a recorded step. */
export function randomWords({ seed, step }: RandomPosition, rows: ArrayLike<number> | number): Int32Array {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new KernelError('BAD_ARGUMENT', `seed ${seed} is not an integer between 0 and 2^53 - 1`);
  }
  const count = typeof rows === 'number' ? rows : rows.length;
  const words = new Int32Array(RANDOM_HEADER + count);
  words.set([(seed % 2 ** 32) | 0, Math.floor(seed / 2 ** 32), step]);
  for (let row = 0; row < count; row++) words[RANDOM_HEADER + row] = typeof rows === 'number' ? row : rows[row]! | 0;
  return words;
}

/** A dropout rate as what the kernels compare and multiply with. */
export interface DropoutNumbers {
  /** Elements whose 16 random bits are below this are dropped: the rate in steps of 2^-16. */
  readonly threshold: number;
  /** What kept elements are multiplied by: 1 / (1 - rate). */
  readonly keepScale: number;
}

export function dropoutNumbers(rate: number): DropoutNumbers {
  if (!(rate >= 0 && rate < 1)) {
    throw new KernelError('BAD_ARGUMENT', `dropout rate ${rate} is not in [0, 1)`);
  }
  return { threshold: Math.round(rate * 2 ** 16), keepScale: 1 / (1 - rate) };
}

/** Rounds of Philox that masks are drawn with: the fewest that pass BigCrush, since drawing is a good part of a step. */
export const DROPOUT_ROUNDS = 7;

/**
 * Whether each element of a dropout site is kept. Element i of a row draws from Philox with counter
 * (i >> 3, site, step, the row's number) and key (seed low, seed high): the low half of word (i & 7) >> 1 where i is
 * even, the high half where it is odd. No state, so that the backward pass, a resumed run and another batch with this
 * row in it see the same mask.
 */
export class DropoutStream {
  private readonly words = new Uint32Array(4);
  private drawn: readonly [row: number, group: number] = [-1, -1];

  constructor(
    private readonly state: ArrayLike<number>,
    private readonly site: number,
    private readonly threshold: number,
  ) {}

  /** @param row of the random state */
  keeps(row: number, element: number): boolean {
    const group = Math.floor(element / 8);
    if (row !== this.drawn[0] || group !== this.drawn[1]) {
      const [low, high, step, number] = [0, 1, 2, RANDOM_HEADER + row].map((word) => this.state[word]!);
      philox4x32([group, this.site, step!, number!], [low!, high!], this.words, DROPOUT_ROUNDS);
      this.drawn = [row, group];
    }
    const word = this.words[(element % 8) >> 1] ?? 0;
    return (element % 2 === 0 ? word & 0xffff : word >>> 16) >= this.threshold;
  }
}
