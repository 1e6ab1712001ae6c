import { tensor1d, type Tensor1D } from '@tensorflow/tfjs-core';
import { KernelError } from '../errors';
import { philox4x32 } from './philox';

/** Where a training run stands in its stream of random numbers. */
export interface RandomPosition {
  /** Seed of the run; 53 bits are used. */
  readonly seed: number;
  /** Optimiser step. */
  readonly step: number;
  /** Micro-batch within the step. */
  readonly microBatch: number;
}

/**
 * The random state every dropout of a forward pass reads: int32 [4] = (seed low, seed high, step, micro-batch).
 * A tensor, so that a recorded step can be replayed with another step number.
 */
export function randomState(position: RandomPosition): Tensor1D {
  return tensor1d(randomWords(position), 'int32');
}

/** The four values of a random state, for an input of a recorded step. */
export function randomWords({ seed, step, microBatch }: RandomPosition): Int32Array {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new KernelError('BAD_ARGUMENT', `seed ${seed} is not an integer between 0 and 2^53 - 1`);
  }
  return Int32Array.of((seed % 2 ** 32) | 0, Math.floor(seed / 2 ** 32), step, microBatch);
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
 * Whether each element of a dropout site is kept. Element i draws from Philox with counter
 * (i >> 3, site, step, micro-batch) and key (seed low, seed high): the low half of word (i & 7) >> 1 where i is even,
 * the high half where it is odd. No state, so that the backward pass and a resumed run see the same mask.
 */
export class DropoutStream {
  private readonly words = new Uint32Array(4);
  private group = -1;

  constructor(
    private readonly state: ArrayLike<number>,
    private readonly site: number,
    private readonly threshold: number,
  ) {}

  keeps(element: number): boolean {
    const group = Math.floor(element / 8);
    if (group !== this.group) {
      const [low = 0, high = 0, step = 0, microBatch = 0] = Array.from(this.state);
      philox4x32([group, this.site, step, microBatch], [low, high], this.words, DROPOUT_ROUNDS);
      this.group = group;
    }
    const word = this.words[(element % 8) >> 1] ?? 0;
    return (element % 2 === 0 ? word & 0xffff : word >>> 16) >= this.threshold;
  }
}
