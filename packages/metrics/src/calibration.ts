import { checkedInteger } from './errors';
import { type Labels } from './labels';
import { type ScoreLabelOptions, trueColumns } from './score-labels';
import { argmax, checkProbabilities, type ScoreMatrix } from './scores';
import { CompensatedSum } from './summation';

export interface CalibrationOptions extends ScoreLabelOptions {
  /** Bins of equal width over 0..1. Default 15, as in Guo et al. */
  numBins?: number;
}

/** The samples whose confidence lies in (lower, upper]. */
export interface CalibrationBin {
  lower: number;
  upper: number;
  count: number;
  /** Mean confidence of the bin's samples; NaN in an empty bin. */
  confidence: number;
  /** Share of the bin's samples that were predicted rightly; NaN in an empty bin. */
  accuracy: number;
}

/**
 * Reliability diagram: samples binned by confidence (the largest probability of the row, whose class is the prediction).
 * Bins are ]i/n, (i+1)/n]; a confidence is never 0, so all are caught.
 *
 * @throws MetricsError INVALID_SCORES where a row is not a distribution, INVALID_OPTION for numBins, and as labels are checked
 */
export function calibrationBins(
  trueLabels: Labels,
  probabilities: ScoreMatrix,
  { numBins = 15, labels }: CalibrationOptions = {},
): CalibrationBin[] {
  const checked = checkProbabilities(probabilities);
  const columns = trueColumns(trueLabels, checked, { labels });
  checkedInteger('numBins', numBins, 1, 1_000_000);
  const predicted = argmax(checked);
  const counts = new Float64Array(numBins);
  const correct = new Float64Array(numBins);
  const confidences = Array.from({ length: numBins }, () => new CompensatedSum());
  for (let row = 0; row < checked.samples; row++) {
    const confidence = checked.data[row * checked.classes + predicted[row]!]!;
    const bin = binOf(confidence, numBins);
    counts[bin]!++;
    confidences[bin]!.add(confidence);
    if (predicted[row] === columns[row]) correct[bin]!++;
  }
  return Array.from(counts, (count, bin) => ({
    lower: bin / numBins,
    upper: (bin + 1) / numBins,
    count,
    confidence: confidences[bin]!.value / count,
    accuracy: correct[bin]! / count,
  }));
}

/**
 * Expected calibration error: the mean over samples of |accuracy - confidence| of their bin, on `calibrationBins`
 * (Guo et al., "On Calibration of Modern Neural Networks", 2017, equation 3). 0 is perfect; the value depends on the
 * number of bins, so name it beside the figure.
 *
 * @throws MetricsError as calibrationBins
 */
export function expectedCalibrationError(
  trueLabels: Labels,
  probabilities: ScoreMatrix,
  options: CalibrationOptions = {},
): number {
  const total = new CompensatedSum();
  let samples = 0;
  for (const { count, confidence, accuracy } of calibrationBins(trueLabels, probabilities, options)) {
    if (count > 0) total.add(count * Math.abs(accuracy - confidence));
    samples += count;
  }
  return total.value / samples;
}

/** The product may round across an edge, so the edges themselves decide. */
function binOf(confidence: number, numBins: number): number {
  let bin = Math.min(numBins - 1, Math.max(0, Math.ceil(confidence * numBins) - 1));
  if (confidence <= bin / numBins && bin > 0) bin--;
  else if (confidence > (bin + 1) / numBins && bin < numBins - 1) bin++;
  return bin;
}
