import {
  binarize,
  meanAbsoluteError,
  meanSquaredError,
  multilabelMetrics,
  pearsonCorrelation,
  spearmanCorrelation,
} from '@qlora-js/metrics';
import type { LearnedTask } from '../model/trainable-model';
import type { Evaluation } from './evaluate';
import type { EvalPrediction } from './prediction';

/** Tasks whose metrics are made of every row's logits. */
export function needsLogits(task: LearnedTask): boolean {
  return task === 'multi_label_classification' || task === 'regression';
}

/**
 * What an evaluation logs beside the loss where nobody says otherwise. Several labels are decided at a logit of 0, a
 * probability of one half; a correlation is NaN where one side is constant.
 *
 * @param prediction there where `needsLogits`
 */
export function defaultMetrics(
  task: LearnedTask,
  { loss, metrics }: Evaluation,
  prediction: EvalPrediction | undefined,
): Record<string, number> {
  switch (task) {
    case 'single_label_classification':
      return { accuracy: metrics!.accuracy, f1: metrics!.f1.weighted, f1_macro: metrics!.f1.macro };
    case 'multi_label_classification': {
      const { predictions, labelIds, numLabels } = prediction!;
      const shape = [predictions.length / numLabels, numLabels] as const;
      const { accuracy, f1 } = multilabelMetrics({ data: labelIds, shape }, binarize({ data: predictions, shape }));
      return { accuracy, f1: f1.micro, f1_macro: f1.macro };
    }
    case 'regression': {
      const { predictions, labelIds } = prediction!;
      return {
        mse: meanSquaredError(labelIds, predictions),
        mae: meanAbsoluteError(labelIds, predictions),
        pearson: pearsonCorrelation(labelIds, predictions),
        spearmanr: spearmanCorrelation(labelIds, predictions),
      };
    }
    case 'causal_lm':
      return { perplexity: Math.exp(loss) };
  }
}
