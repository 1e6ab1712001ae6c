import type { LearnedTask } from '@qlora-js/trainer';

/** The figure of the validation rows by which weights and parameters are chosen. */
export interface Goal {
  /** Its name in the trainer's log, without `eval_`. */
  readonly metric: string;
  /** Optuna's words for which way is better. */
  readonly direction: 'maximize' | 'minimize';
}

/**
 * F1 where labels are chosen, weighted by rows for one label a text and micro for several; the mean squared error of numbers, since
 * a correlation has no value while a head still gives every text the same; a language model's loss.
 */
export function goalOf(task: LearnedTask): Goal {
  if (task === 'regression') return { metric: 'mse', direction: 'minimize' };
  return task === 'causal_lm' ? { metric: 'loss', direction: 'minimize' } : { metric: 'f1', direction: 'maximize' };
}
