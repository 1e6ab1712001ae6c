import {
  datasetSummary,
  DataCollatorWithPadding,
  formatDatasetSummary,
  placeOf,
  prepareDataset,
  type Dataset,
  type PreparedRow,
  type RowPlace,
  type SplitName,
  type Task,
  type TextDataset,
} from '@qlora-js/data';
import type { BaseModel } from '../base/base';
import type { PaddingSettings } from './padding';
import { someOf } from './some';

/** A text as token ids; its label is an id, a 0 or 1 for each of several, or a number. */
export type LabelledRow = PreparedRow<number | number[]>;

/** Texts as token ids, with what was cut. */
export interface TokenSplits {
  /** Rows to learn. */
  readonly train: Dataset<LabelledRow>;
  /** Rows to choose the best weights by. */
  readonly validation: Dataset<LabelledRow>;
  /** Rows that nothing is chosen by. */
  readonly test: Dataset<LabelledRow>;
  /** Places of the texts that lost their ends. */
  readonly cut: readonly RowPlace[];
}

/** Texts and labels of every split as a model reads them. */
export function tokenizeSplits(dataset: TextDataset, base: BaseModel, { maxLength }: PaddingSettings): TokenSplits {
  const { labelMap } = dataset;
  const cut: RowPlace[] = [];
  const prepare = (split: SplitName): Dataset<LabelledRow> => {
    const rows = dataset[split];
    const prepared = prepareDataset(rows, { tokenizer: base.tokenizer, labelMap, maxLength, source: split });
    const places = rows.column('place');
    cut.push(...prepared.cutRows.map((row) => places[row]!));
    return prepared.dataset;
  };
  return { train: prepare('train'), validation: prepare('validation'), test: prepare('test'), cut };
}

/** The warning about texts that were cut; undefined where none was. */
export function cutWarning({ cut }: TokenSplits, maxLength: number): string | undefined {
  if (cut.length === 0) return undefined;
  return `${cut.length} texts were cut to ${maxLength} tokens: ${someOf(cut.map(placeOf))}`;
}

/** A look at the data as the model gets it. */
export function describeSplits(splits: TokenSplits, { labelMap, task }: TextDataset): string {
  const { train, validation, test } = splits;
  return formatDatasetSummary(datasetSummary({ train, validation, test }, { labelMap, task }));
}

/** Pads rows to batches. */
export function collatorOf(
  base: BaseModel,
  { padding, paddingSide, maxLength }: PaddingSettings,
  problemType: Task,
): DataCollatorWithPadding {
  return new DataCollatorWithPadding({ padTokenId: base.padTokenId, paddingSide, padding, maxLength, problemType });
}
