import { DataError, shown } from '../errors';
import { SeededRandom } from '../random';

/** An order of the rows for every epoch. The same epoch always gives the same order, so that a run can be resumed. */
export interface Sampler {
  /** Rows an epoch. */
  readonly length: number;
  /** The row numbers of an epoch, counted from 0, each once. */
  indices(epoch: number): Int32Array;
}

/** The rows as they are, for evaluation. */
export class SequentialSampler implements Sampler {
  constructor(readonly length: number) {
    checkCount('length', length, 0);
  }

  indices(): Int32Array {
    return Int32Array.from({ length: this.length }, (_, index) => index);
  }
}

/** One permutation an epoch, drawn by numpy's `default_rng([seed, epoch]).permutation(length)`. */
export class RandomSampler implements Sampler {
  readonly length: number;
  private readonly seed: number;

  constructor({ length, seed = 0 }: { length: number; seed?: number }) {
    checkCount('length', length, 0);
    this.length = length;
    this.seed = seed;
  }

  indices(epoch: number): Int32Array {
    return new SeededRandom([this.seed, epoch]).permutation(this.length);
  }
}

/**
 * Rows of like length together, in random order: a permutation is cut into megabatches of 50 batches (fewer for a small
 * set), each sorted by length from the longest down, and the longest row of all comes first, so that a lack of memory shows
 * at once (transformers, trainer_pt_utils.py get_length_grouped_indices).
 */
export class LengthGroupedSampler implements Sampler {
  readonly length: number;
  private readonly lengths: ArrayLike<number>;
  private readonly batchSize: number;
  private readonly seed: number;

  /**
   * `lengths` has the tokens of each row; `batchSize` is rows an optimiser step: batch size x gradient accumulation steps.
   */
  constructor({ lengths, batchSize, seed = 0 }: { lengths: ArrayLike<number>; batchSize: number; seed?: number }) {
    checkCount('batchSize', batchSize, 1);
    this.length = lengths.length;
    this.lengths = lengths;
    this.batchSize = batchSize;
    this.seed = seed;
  }

  indices(epoch: number): Int32Array {
    const order = new SeededRandom([this.seed, epoch]).permutation(this.length);
    const batches = Math.max(1, Math.min(Math.floor(this.length / (this.batchSize * 4)), 50));
    const size = batches * this.batchSize;
    const lengthOf = (row: number): number => this.lengths[row]!;
    let longest = 0;
    for (let start = 0; start < order.length; start += size) {
      const megabatch = order.subarray(start, start + size);
      megabatch.set(Array.from(megabatch).sort((one, other) => lengthOf(other) - lengthOf(one)));
      if (lengthOf(order[start]!) > lengthOf(order[longest]!)) longest = start;
    }
    if (order.length > 0) [order[0], order[longest]] = [order[longest]!, order[0]!];
    return order;
  }
}

export interface BatchOptions {
  batchSize: number;
  /** Which epoch's order; default 0. */
  epoch?: number;
  /** Leave out a last batch that is not full. Default false. */
  dropLast?: boolean;
  /** Batches at the start that are left out, because an interrupted run did them. Default 0. */
  skip?: number;
}

/** The row numbers of each batch of one epoch. */
export function* batches(sampler: Sampler, options: BatchOptions): Generator<Int32Array, void, undefined> {
  const { batchSize, epoch = 0, dropLast = false, skip = 0 } = options;
  checkCount('skip', skip, 0);
  const count = batchCount(sampler.length, { batchSize, dropLast });
  const order = sampler.indices(epoch);
  for (let batch = skip; batch < count; batch++) yield order.slice(batch * batchSize, (batch + 1) * batchSize);
}

/** Batches an epoch. */
export function batchCount(
  rows: number,
  { batchSize, dropLast = false }: Pick<BatchOptions, 'batchSize' | 'dropLast'>,
): number {
  checkCount('batchSize', batchSize, 1);
  return dropLast ? Math.floor(rows / batchSize) : Math.ceil(rows / batchSize);
}

function checkCount(name: string, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least) return;
  throw new DataError('INVALID_OPTION', `${name} is an integer of at least ${least}, got ${shown(value)}`, value);
}
