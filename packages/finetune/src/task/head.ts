import { LabelMap, type Task, type TextDataset } from '@qlora-js/data';

/** A head for labels or numbers. */
export interface LabelHead {
  /** What is learnt. */
  readonly task: Task;
  /** Its outputs. */
  readonly numLabels: number;
}

/** What a head is there for; a language model's scores the vocabulary. */
export type Head = LabelHead | { readonly task: 'causal_lm' };

/** Names of a head's outputs: the labels, and under regression the column that the numbers are in. */
export function headLabels({ labelMap, columns }: Pick<TextDataset, 'labelMap' | 'columns'>): LabelMap {
  return labelMap ?? LabelMap.fromNames([columns.label]);
}

/** The head that a data set asks for. */
export function headOf(data: TextDataset): LabelHead {
  return { task: data.task, numLabels: headLabels(data).size };
}

/** What is learnt of a data set, in a line. */
export function describeTask(data: TextDataset): string {
  const { name, task, columns } = data;
  if (task === 'regression') return `${name}: a number a text, from column ${columns.label}`;
  return `${name}: ${headLabels(data).size} labels, ${task === 'multi_label_classification' ? 'several' : 'one'} a text`;
}
