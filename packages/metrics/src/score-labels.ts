import { MetricsError, shown } from './errors';
import { checkedLabelList, checkLabels, indexLookup, type Label, type Labels } from './labels';
import { type CheckedScores } from './scores';

/** The labels that the columns of a score matrix stand for. */
export interface ScoreLabelOptions {
  /** Label of each column. Default: 0, 1, ... (sklearn: the sorted true labels, which must then all occur). */
  labels?: readonly Label[];
}

/**
 * Column of each true label.
 *
 * @throws MetricsError LENGTH_MISMATCH between rows and true labels or between columns and `labels`; UNKNOWN_LABEL with the
 *   position of a true label that has no column
 */
export function trueColumns(trueLabels: Labels, scores: CheckedScores, { labels }: ScoreLabelOptions): Int32Array {
  checkLabels(trueLabels, 'true label');
  if (trueLabels.length !== scores.samples) {
    const message = `${trueLabels.length} true labels against ${scores.samples} rows of scores: pass one of each a sample.`;
    throw new MetricsError('LENGTH_MISMATCH', message, { value: [trueLabels.length, scores.samples] });
  }
  const columns =
    labels === undefined ? Array.from({ length: scores.classes }, (_, column) => column) : checkedLabelList(labels);
  if (columns.length !== scores.classes) {
    const message = `labels names ${columns.length} classes, a row of scores has ${scores.classes}: name each column's label.`;
    throw new MetricsError('LENGTH_MISMATCH', message, { value: [columns.length, scores.classes] });
  }
  const indexOf = indexLookup(columns);
  return Int32Array.from({ length: trueLabels.length }, (_, sample) => {
    const label = trueLabels[sample]!;
    const column = indexOf(label);
    if (column < 0) {
      const allowed = labels === undefined ? `one of 0..${scores.classes - 1}` : 'among labels';
      throw new MetricsError(
        'UNKNOWN_LABEL',
        `True label ${sample} is ${shown(label)}, not ${allowed}: it has no column.`,
        { value: label },
      );
    }
    return column;
  });
}
