import { DataError, shown } from '../errors';
import { SeededRandom } from '../random';
import { type Dataset } from './dataset';
import { stratifiedIndices } from './stratify';

export interface SplitOptions {
  /** Rows of the test side: a count of at least 1, or a fraction between 0 and 1. Default: the rest, or 0.25. */
  testSize?: number;
  /** Rows of the train side, the same way. Default: the rest. */
  trainSize?: number;
  /** Default 0. Equal seeds give equal splits, here and in Python. */
  seed?: number;
  /** A column whose values both sides hold in equal proportion. */
  stratifyBy?: string;
  /** False takes the first rows for training and the next ones for the test. Default true. */
  shuffle?: boolean;
}

/**
 * Splits as Hugging Face's `Dataset.train_test_split` does: test = ceil(n x fraction), train = floor(n x fraction) or
 * the rest, and the very same rows for the same seed (its generator is numpy's; see SeededRandom).
 *
 * @throws DataError `INVALID_SPLIT`
 */
export function trainTestSplit<Row extends object>(
  dataset: Dataset<Row>,
  options: SplitOptions = {},
): { train: Dataset<Row>; test: Dataset<Row> } {
  const { seed = 0, stratifyBy, shuffle = true } = options;
  const { trainRows, testRows } = splitSizes(dataset.numRows, options);
  if (!shuffle) {
    if (stratifyBy !== undefined)
      throw new DataError(
        'INVALID_SPLIT',
        'a stratified split is drawn at random: leave out stratifyBy or shuffle: false',
      );
    return { train: dataset.select(range(0, trainRows)), test: dataset.select(range(trainRows, trainRows + testRows)) };
  }
  const random = new SeededRandom(seed);
  if (stratifyBy !== undefined) {
    const values = dataset.column(stratifyBy as keyof Row & string);
    const { train, test } = stratifiedIndices({ values, trainRows, testRows, random, column: stratifyBy });
    return { train: dataset.select(train), test: dataset.select(test) };
  }
  const order = random.permutation(dataset.numRows);
  return {
    train: dataset.select(order.subarray(testRows, testRows + trainRows)),
    test: dataset.select(order.subarray(0, testRows)),
  };
}

function splitSizes(rows: number, { testSize, trainSize }: SplitOptions): { trainRows: number; testRows: number } {
  const testAsked = testSize ?? (trainSize === undefined ? 0.25 : undefined);
  if (rows < 2) throw new DataError('INVALID_SPLIT', `a split needs at least 2 rows, the data set has ${rows}`, rows);
  for (const [name, size] of [
    ['testSize', testAsked],
    ['trainSize', trainSize],
  ] as const) {
    if (size === undefined) continue;
    const count = Number.isInteger(size) && size >= 1 && size < rows;
    const fraction = size > 0 && size < 1;
    if (!count && !fraction) {
      throw new DataError(
        'INVALID_SPLIT',
        `${name} is a fraction between 0 and 1 or a count from 1 to ${rows - 1} of the ${rows} rows, got ${shown(size)}`,
        size,
      );
    }
  }
  const test = testAsked === undefined ? undefined : testAsked < 1 ? Math.ceil(testAsked * rows) : testAsked;
  const train = trainSize === undefined ? undefined : trainSize < 1 ? Math.floor(trainSize * rows) : trainSize;
  const testRows = test ?? rows - train!;
  const trainRows = train ?? rows - testRows;
  if (trainRows < 1 || testRows < 1 || trainRows + testRows > rows) {
    throw new DataError(
      'INVALID_SPLIT',
      `of ${rows} rows ${trainRows} would be for training and ${testRows} for the test; choose another testSize or trainSize`,
    );
  }
  return { trainRows, testRows };
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}
