import type { TextDataset } from '@qlora-js/data';
import type { TextClassifier } from '@qlora-js/finetune';
import {
  argmax,
  calibrationBins,
  confusionMatrix,
  expectedCalibrationError,
  precisionRecallFscoreSupport,
} from '@qlora-js/metrics';
import type { Look } from './protocol';

/** Bins of confidence. */
const BINS = 10;

/** Labels the test rows, and says what comes of it. */
export async function lookAt(classifier: TextClassifier, { test, labelMap }: TextDataset): Promise<Look> {
  const labels = labelMap!.names;
  const texts = [...test.column('text')];
  const predictions = await classifier.predict(texts, { topK: labels.length });
  const probabilities = predictions.map(({ labels: ranked }) => {
    const row = new Array<number>(labels.length).fill(0);
    for (const { label, probability } of ranked) row[labelMap!.id(label)] = probability;
    return row;
  });
  const truth = test.column('label').map((label) => labelMap!.id(label as string));
  const predicted = [...argmax(probabilities)];
  const ids = labels.map((_, id) => id);
  const { precision, recall, fscore, support } = precisionRecallFscoreSupport(truth, predicted, { labels: ids });
  const bins = calibrationBins(truth, probabilities, { numBins: BINS, labels: ids });
  return {
    labels,
    rows: texts.map((text, row) => ({
      text,
      label: truth[row]!,
      predicted: predicted[row]!,
      probability: probabilities[row]![predicted[row]!]!,
    })),
    confusion: confusionMatrix(truth, predicted, { labels: ids }),
    scores: ids.map((id) => ({
      precision: precision[id]!,
      recall: recall[id]!,
      f1: fscore[id]!,
      rows: support[id]!,
    })),
    calibration: bins
      .filter(({ count }) => count > 0)
      .map(({ confidence, accuracy, count }) => ({ confidence, accuracy, rows: count })),
    calibrationError: expectedCalibrationError(truth, probabilities, { numBins: BINS, labels: ids }),
  };
}
