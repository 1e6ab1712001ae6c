import { DataError, shown } from '../errors';
import type { Task } from '../load/labels';
import { isTokenId } from './token-id';

/** What labels are, and the column they come from. */
export interface BatchLabelsOptions {
  readonly labelKey: string;
  readonly problemType: Task;
}

/**
 * Labels of a batch's rows as a loss takes them: ids; a 0 or 1 for each id; numbers.
 *
 * @returns Int32Array [batchSize] of ids, else Float32Array [batchSize, labels a row]
 * @throws DataError INVALID_ROW naming the row and what its label must be
 */
export function batchLabels(given: readonly unknown[], options: BatchLabelsOptions): Int32Array | Float32Array {
  const { labelKey, problemType } = options;
  const refuse = (row: number, wanted: string, value: unknown): never => {
    throw new DataError(
      'INVALID_ROW',
      `row ${row} of the batch: ${labelKey} must be ${wanted}, got ${shown(value)}; ` +
        `keep the column when preparing, or set labelKey: null for rows without labels`,
      value,
    );
  };
  if (problemType === 'single_label_classification') {
    return Int32Array.from(given, (label, row) => (isTokenId(label) ? label : refuse(row, "a label's id", label)));
  }
  const several = problemType === 'multi_label_classification';
  const wanted = several ? 'a list of 0 and 1, one for each label' : 'a finite number';
  const isOne = (value: unknown): boolean => (several ? value === 0 || value === 1 : Number.isFinite(value));
  const rows = given.map((label, row): ArrayLike<number> => {
    const values = isList(label) ? label : several ? refuse(row, wanted, label) : [label];
    for (let place = 0; place < values.length; place++) {
      if (!isOne(values[place])) refuse(row, wanted, values[place]);
    }
    return values as ArrayLike<number>;
  });
  const width = rows[0]!.length;
  const uneven = rows.findIndex(({ length }) => length !== width || length === 0);
  if (uneven >= 0) refuse(uneven, `${width || 'at least 1'} values long`, rows[uneven]!.length);
  const labels = new Float32Array(rows.length * width);
  rows.forEach((values, row) => labels.set(values, row * width));
  return labels;
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || value instanceof Float32Array || value instanceof Uint8Array;
}
