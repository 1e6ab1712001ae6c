import { TrainerError } from '../errors';
import type { LearnedTask } from '../model/trainable-model';
import type { PreparedDataset } from './options';

/**
 * Refuses rows that all have the same label: whatever is learnt, the metric is perfect and the adapter worth nothing.
 *
 * @throws TrainerError ONE_LABEL
 */
export function refuseOneLabel(dataset: PreparedDataset, task: LearnedTask): void {
  if (task === 'causal_lm' || !dataset.columnNames.includes('label')) return;
  const labels = dataset.column('label' as never) as readonly unknown[];
  const first = JSON.stringify(labels[0]);
  if (labels.some((label) => JSON.stringify(label) !== first)) return;
  const nothing = task === 'regression' ? 'learn' : 'tell apart';
  throw new TrainerError(
    'ONE_LABEL',
    `all ${labels.length} training rows have the label ${first}: there is nothing to ${nothing}`,
    {
      value: labels[0],
      remedy: 'add rows with other labels, or name the column that the labels are in',
    },
  );
}
