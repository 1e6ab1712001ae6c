import type { LearnedTask } from '../model/trainable-model';
import type { Evaluation } from './evaluate';
import type { EvalPrediction } from './prediction';

/** Tasks whose metrics are made of every row's logits. */
export function needsLogits(task: LearnedTask): boolean {
  return task === 'multi_label_classification' || task === 'regression';
}

/**
 * What an evaluation logs beside the loss where nobody says otherwise. What the tasks made of logits take is loaded when one is
 * evaluated.
 *
 * @param prediction there where `needsLogits`
 */
export async function defaultMetrics(
  task: LearnedTask,
  { loss, metrics }: Evaluation,
  prediction: EvalPrediction | undefined,
): Promise<Record<string, number>> {
  if (task === 'single_label_classification')
    return { accuracy: metrics!.accuracy, f1: metrics!.f1.weighted, f1_macro: metrics!.f1.macro };
  if (task === 'causal_lm') return { perplexity: Math.exp(loss) };
  const { multilabelLogitMetrics, regressionMetrics } = await import('./logit-metrics');
  return task === 'regression' ? regressionMetrics(prediction!) : multilabelLogitMetrics(prediction!);
}
