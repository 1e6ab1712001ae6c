import { loadTextDataset, type Task } from '@qlora-js/data';
import { readSavedClassifier } from '@qlora-js/finetune';
import { findData } from '@qlora-js/finetune/node';
import { folderFiles } from '@qlora-js/hub/node';
import type { OptionValues } from '../options/spec';
import type { DATA_OPTIONS, HUB_OPTIONS } from '../options/train-options';
import { dataHubOptions } from './train';

type Reading = Omit<OptionValues<typeof DATA_OPTIONS>, 'labelNames' | 'task'> & OptionValues<typeof HUB_OPTIONS>;

/** Rows with what is right of them. */
export interface LabelledRows {
  /** What the adapter has learnt. */
  readonly task: Task;
  /** The texts. */
  readonly texts: readonly string[];
  /** Ids [rows]; of several labels a 0 or 1 for each, flat; numbers [rows]. */
  readonly truth: readonly number[];
}

/** The rows of a data set under the labels of a saved adapter; of a set with splits, the test rows. */
export async function labelledRows(
  values: Reading & { readonly data: string; readonly adapter: string },
): Promise<LabelledRows> {
  const { labelMap, task } = await readSavedClassifier(await folderFiles(values.adapter));
  const { textColumn, textPairColumn, labelColumn, labelSeparator, format, delimiter, columns, onBadRow, dataConfig } =
    values;
  const files = await findData(values.data, { config: dataConfig, hub: dataHubOptions(values) });
  const data = await loadTextDataset(files, {
    textColumn, textPairColumn, labelColumn, labelSeparator, format, delimiter, columns, onBadRow, task,
    ...(task === 'regression' ? {} : { labelNames: labelMap.names }), validation: 0, testShare: 0,
  }); // prettier-ignore
  const rows = data.test.numRows > 0 ? data.test : data.train;
  const labels = rows.column('label');
  const truth = labels.flatMap((label): number | number[] => {
    if (typeof label === 'number') return label;
    if (typeof label === 'string') return labelMap.id(label);
    return labelMap.names.map((name) => (label.includes(name) ? 1 : 0));
  });
  return { task, texts: [...rows.column('text')], truth };
}
