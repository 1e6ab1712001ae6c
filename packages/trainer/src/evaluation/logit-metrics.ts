import {
  binarize,
  meanAbsoluteError,
  meanSquaredError,
  multilabelMetrics,
  pearsonCorrelation,
  spearmanCorrelation,
} from '@qlora-js/metrics';
import type { EvalPrediction } from './prediction';

/** Several labels are decided at a logit of 0, a probability of one half. */
export function multilabelLogitMetrics({ predictions, labelIds, numLabels }: EvalPrediction): Record<string, number> {
  const shape = [predictions.length / numLabels, numLabels] as const;
  const { accuracy, f1 } = multilabelMetrics({ data: labelIds, shape }, binarize({ data: predictions, shape }));
  return { accuracy, f1: f1.micro, f1_macro: f1.macro };
}

/** A correlation is NaN where one side is constant. */
export function regressionMetrics({ predictions, labelIds }: EvalPrediction): Record<string, number> {
  return {
    mse: meanSquaredError(labelIds, predictions),
    mae: meanAbsoluteError(labelIds, predictions),
    pearson: pearsonCorrelation(labelIds, predictions),
    spearmanr: spearmanCorrelation(labelIds, predictions),
  };
}
