import { DataError, shown } from '../errors';
import { type SeededRandom } from '../random';

/**
 * Row numbers of a stratified split: classes in proportion, each within one row of its share. The draws are those of
 * Hugging Face's datasets (utils/stratify.py), which follows scikit-learn's StratifiedShuffleSplit.
 *
 * @throws DataError `INVALID_SPLIT`: a class with one row, or a side smaller than the number of classes
 */
export function stratifiedIndices(options: {
  values: readonly unknown[];
  trainRows: number;
  testRows: number;
  random: SeededRandom;
  column: string;
}): { train: number[]; test: number[] } {
  const { values, trainRows, testRows, random, column } = options;
  const classes = rowsByClass(values, column);
  const counts = classes.map((rows) => rows.length);
  const rare = counts.indexOf(Math.min(...counts));
  if ((counts[rare] ?? 0) < 2) {
    const value = values[classes[rare]?.[0] ?? 0];
    throw new DataError(
      'INVALID_SPLIT',
      `cannot stratify by ${shown(column)}: the value ${shown(value)} has one row, and a split needs at least 2`,
      value,
    );
  }
  for (const [side, rows] of [
    ['train', trainRows],
    ['test', testRows],
  ] as const) {
    if (rows >= classes.length) continue;
    throw new DataError(
      'INVALID_SPLIT',
      `cannot stratify by ${shown(column)}: the ${side} side has ${rows} rows for ${classes.length} classes; it needs one for each`,
      rows,
    );
  }
  const trainCounts = approximateMode(counts, trainRows, random);
  const left = counts.map((count, place) => count - trainCounts[place]!);
  const testCounts = approximateMode(left, testRows, random);
  const train: number[] = [];
  const test: number[] = [];
  classes.forEach((rows, place) => {
    const order = random.permutation(rows.length);
    const trainCount = trainCounts[place]!;
    for (let drawn = 0; drawn < trainCount + testCounts[place]!; drawn++)
      (drawn < trainCount ? train : test).push(rows[order[drawn]!]!);
  });
  random.shuffle(train);
  random.shuffle(test);
  return { train, test };
}

/** Rows of each class, classes by ascending value as numpy.unique gives them. */
function rowsByClass(values: readonly unknown[], column: string): number[][] {
  const rows = new Map<string | number, number[]>();
  values.forEach((value, row) => {
    if (typeof value !== 'string' && !Number.isFinite(value)) {
      throw new DataError(
        'INVALID_SPLIT',
        `row ${row}: a column to stratify by holds strings or numbers; ${shown(column)} holds ${shown(value)}`,
        value,
      );
    }
    const known = rows.get(value as string | number);
    if (known === undefined) rows.set(value as string | number, [row]);
    else known.push(row);
  });
  return [...rows].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, places]) => places);
}

/**
 * How many of `total` rows each class gets: the floor of its share, and one more for those with the largest remainder;
 * ties are drawn by lot (datasets, utils/stratify.py approximate_mode).
 */
function approximateMode(counts: readonly number[], total: number, random: SeededRandom): number[] {
  const sum = counts.reduce((before, count) => before + count, 0);
  // The order of operations is that of the source: in another, remainders that tie there might not tie here.
  const shares = counts.map((count) => (total * count) / sum);
  const allotted = shares.map(Math.floor);
  let missing = total - allotted.reduce((before, count) => before + count, 0);
  const remainders = shares.map((share, place) => share - allotted[place]!);
  for (const remainder of [...new Set(remainders)].sort((one, other) => other - one)) {
    if (missing === 0) break;
    const tied = remainders.flatMap((other, place) => (other === remainder ? [place] : []));
    const granted = Math.min(tied.length, missing);
    for (const drawn of random.sample(tied.length, granted)) allotted[tied[drawn]!]! += 1;
    missing -= granted;
  }
  return allotted;
}
