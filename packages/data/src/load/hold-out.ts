import type { Dataset } from '../dataset/dataset';
import { trainTestSplit } from '../dataset/train-test-split';
import { DataError } from '../errors';
import type { SplitName } from './splits';
import type { DataInput } from './tables';

/** What is held out of the training rows. */
export interface HeldOut {
  /** Rows to test with; default: those the set itself holds for it, else `testShare` of the training rows. */
  readonly testData?: DataInput;
  /**
   * Rows to validate with: a set, or how many of the training rows (a share below 1, or a count; 0 for none). Default: the
   * set's own, else 0.1.
   */
  readonly validation?: DataInput | number;
  /** Share or count of the training rows to test with, where the set has no rows for it; 0 for none. Default 0.1. */
  readonly testShare?: number;
  /** Hold out the same share of every label. Default false. */
  readonly stratify?: boolean;
  /** Seed of what is held out. Default 0. */
  readonly seed?: number;
}

type Splits<Row extends object> = Readonly<Record<SplitName, Dataset<Row>>>;

/** Holds rows out of the training rows for the splits that are missing. */
export function holdOut<Row extends object>(
  { train, validation, test }: Pick<Splits<Row>, 'train'> & Partial<Splits<Row>>,
  { seed = 0, stratify = false, testShare = 0.1, validation: share, notes }: HeldOut & { readonly notes: string[] },
): Splits<Row> {
  const isEmpty = Object.entries({ train, validation, test }).find(([, split]) => split?.numRows === 0);
  if (isEmpty !== undefined) throw new DataError('INVALID_ROW', `there are no rows for ${isEmpty[0]}`);
  const split = (rows: Dataset<Row>, testSize: number): { train: Dataset<Row>; test: Dataset<Row> } =>
    testSize === 0
      ? { train: rows, test: rows.select([]) }
      : trainTestSplit(rows, { testSize, seed, ...(stratify ? { stratifyBy: 'label' } : {}) });
  let rest = train;
  let held = test;
  if (held === undefined) {
    ({ train: rest, test: held } = split(rest, testShare));
    if (testShare > 0) notes.push(`${held.numRows} of the training rows are held out to test with`);
  }
  if (validation !== undefined) return { train: rest, validation, test: held };
  const { train: left, test: chosen } = split(rest, typeof share === 'number' ? share : 0.1);
  if (chosen.numRows > 0) notes.push(`${chosen.numRows} of the training rows are held out to validate with`);
  return { train: left, validation: chosen, test: held };
}
