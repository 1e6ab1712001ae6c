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
  type TextDataset,
} from '@qlora-js/data';
import type { BaseModel } from '../base/base';
import { FinetuneError } from '../errors';
import type { PaddingSettings } from './padding';

/** Texts as token ids, with what was cut. */
export interface TokenSplits extends Readonly<Record<SplitName, Dataset<PreparedRow>>> {
  /** Places of the texts that lost their ends. */
  readonly cut: readonly RowPlace[];
}

/**
 * Texts and labels of every split as a model reads them.
 * @throws FinetuneError `UNSUPPORTED_TASK` for labels that no head here learns yet
 */
export function tokenizeSplits(dataset: TextDataset, base: BaseModel, { maxLength }: PaddingSettings): TokenSplits {
  const { labelMap, task } = dataset;
  if (task !== 'single_label_classification') {
    throw new FinetuneError(
      'UNSUPPORTED_TASK',
      `the labels ask for ${task}, but one label a text is what can be trained`,
      {
        value: task,
        remedy: 'name another label column, or task: single_label_classification',
      },
    );
  }
  const cut: RowPlace[] = [];
  const prepare = (split: SplitName): Dataset<PreparedRow> => {
    const rows = dataset[split];
    const prepared = prepareDataset(rows, { tokenizer: base.tokenizer, labelMap, maxLength, source: split });
    const places = rows.column('place');
    cut.push(...prepared.cutRows.map((row) => places[row]!));
    return prepared.dataset as Dataset<PreparedRow>;
  };
  return { train: prepare('train'), validation: prepare('validation'), test: prepare('test'), cut };
}

/** Places that a warning names; the rest is counted. */
const SHOWN = 5;

/** The warning about texts that were cut; undefined where none was. */
export function cutWarning({ cut }: TokenSplits, maxLength: number): string | undefined {
  if (cut.length === 0) return undefined;
  const named = cut.slice(0, SHOWN).map(placeOf).join('; ');
  return `${cut.length} texts were cut to ${maxLength} tokens: ${named}${cut.length > SHOWN ? `; and ${cut.length - SHOWN} more` : ''}`;
}

/** A look at the data as the model gets it. */
export function describeSplits(splits: TokenSplits, { labelMap }: TextDataset): string {
  const { train, validation, test } = splits;
  return formatDatasetSummary(datasetSummary({ train, validation, test }, { labelMap }));
}

/** Pads rows to batches. */
export function collatorOf(
  base: BaseModel,
  { padding, paddingSide, maxLength }: PaddingSettings,
): DataCollatorWithPadding {
  return new DataCollatorWithPadding({ padTokenId: base.padTokenId, paddingSide, padding, maxLength });
}
