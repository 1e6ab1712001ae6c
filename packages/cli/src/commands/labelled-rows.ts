import { loadTextDataset } from '@qlora-js/data';
import { readSavedClassifier, type ComparedRows } from '@qlora-js/finetune';
import { findData } from '@qlora-js/finetune/node';
import { folderFiles } from '@qlora-js/hub/node';
import type { OptionValues } from '../options/spec';
import type { DATA_OPTIONS } from '../options/train-options';

type Reading = Omit<OptionValues<typeof DATA_OPTIONS>, 'labelNames' | 'task'>;

/** The rows of a data set under the labels of a saved adapter; of a set with splits, the test rows. */
export async function labelledRows(
  values: Reading & { readonly data: string; readonly adapter: string },
): Promise<Required<ComparedRows>> {
  const { labelMap } = await readSavedClassifier(await folderFiles(values.adapter));
  const { textColumn, textPairColumn, labelColumn, labelSeparator, format, delimiter, columns, onBadRow, dataConfig } =
    values;
  const files = await findData(values.data, { config: dataConfig });
  const data = await loadTextDataset(files, {
    textColumn, textPairColumn, labelColumn, labelSeparator, format, delimiter, columns, onBadRow,
    labelNames: labelMap.names, task: 'single_label_classification', validation: 0, testShare: 0,
  }); // prettier-ignore
  const rows = data.test.numRows > 0 ? data.test : data.train;
  return {
    texts: [...rows.column('text')],
    labels: rows.column('label').map((label) => data.labelMap!.id(label as string)),
  };
}
