import { MetricsError, shown } from './errors';
import { encodeLabels, type EncodedLabels, type Label, type Labels } from './labels';

export interface ConfusionMatrixOptions {
  /** Rows and columns, in this order; samples with either side outside are not counted. Default: all that occur, sorted. */
  labels?: readonly Label[];
  /** Divides by the sum of the row ('true'), of the column ('pred') or of everything ('all'); 0 where that sum is 0. */
  normalize?: 'true' | 'pred' | 'all';
}

/**
 * Row: true label, column: predicted label, cell: how many samples; sklearn.metrics.confusion_matrix.
 *
 * @throws MetricsError EMPTY, LENGTH_MISMATCH, INVALID_LABEL, INVALID_OPTION; UNKNOWN_LABEL where no true label is in `labels`
 */
export function confusionMatrix(
  trueLabels: Labels,
  predictedLabels: Labels,
  { labels, normalize }: ConfusionMatrixOptions = {},
): number[][] {
  const encoded = encodeLabels(trueLabels, predictedLabels, labels);
  if (!encoded.trueIndex.some((index) => index >= 0)) {
    throw new MetricsError(
      'UNKNOWN_LABEL',
      `None of the true labels is in labels (${encoded.labels.slice(0, 5).map(shown).join(', ')}).`,
      { value: labels },
    );
  }
  const size = encoded.labels.length;
  const flat = countPairs(encoded);
  const rows = Array.from({ length: size }, (_, row) => [...flat.subarray(row * size, (row + 1) * size)]);
  if (normalize === undefined) return rows;
  if (normalize !== 'true' && normalize !== 'pred' && normalize !== 'all') {
    throw new MetricsError('INVALID_OPTION', `normalize is ${shown(normalize)}: pass 'true', 'pred' or 'all'.`, {
      value: normalize,
    });
  }
  const rowSums = rows.map((row) => row.reduce((a, b) => a + b, 0));
  const columnSums = rows.map((_, column) => rows.reduce((total, row) => total + row[column]!, 0));
  const everything = rowSums.reduce((a, b) => a + b, 0);
  return rows.map((cells, row) =>
    cells.map((count, column) => {
      const divisor = normalize === 'true' ? rowSums[row]! : normalize === 'pred' ? columnSums[column]! : everything;
      return divisor === 0 ? 0 : count / divisor;
    }),
  );
}

/** The matrix in row-major order, without the samples that lie outside it. */
function countPairs({ labels, trueIndex, predictedIndex }: EncodedLabels): Float64Array {
  const flat = new Float64Array(labels.length ** 2);
  for (let i = 0; i < trueIndex.length; i++) {
    if (trueIndex[i]! >= 0 && predictedIndex[i]! >= 0) flat[trueIndex[i]! * labels.length + predictedIndex[i]!]!++;
  }
  return flat;
}
