import {
  DataCollatorForLanguageModeling,
  lengthSummary,
  packRows,
  placeOf,
  prepareLanguageModelDataset,
  type Dataset,
  type LanguageModelDataset,
  type LanguageModelRow,
  type RowPlace,
  type SplitName,
} from '@qlora-js/data';
import type { BaseModel } from '../base/base';
import type { PaddingSettings } from './padding';
import { someOf } from './some';

/** Texts as a language model learns them, with what was cut and left out. */
export interface LanguageModelSplits extends Readonly<Record<SplitName, Dataset<LanguageModelRow>>> {
  /** Places of the texts that lost their ends. */
  readonly cut: readonly RowPlace[];
  /** Places of the texts that have nothing to be learnt, such as a prompt that fills maxLength. */
  readonly leftOut: readonly RowPlace[];
  /** Texts of each split before some were packed into one row. */
  readonly texts: Readonly<Record<SplitName, number>>;
}

/**
 * Texts of every split as token ids with what is to be predicted; with `packing`, short training texts together in rows of up to maxLength
 * tokens, where they see nothing of each other.
 */
export function languageModelRows(
  data: LanguageModelDataset,
  base: BaseModel,
  { maxLength, packing }: Pick<PaddingSettings, 'maxLength'> & { readonly packing: boolean },
): LanguageModelSplits {
  const cut: RowPlace[] = [];
  const leftOut: RowPlace[] = [];
  const prepare = (split: SplitName): Dataset<LanguageModelRow> => {
    if (data[split].numRows === 0) return data[split] as unknown as Dataset<LanguageModelRow>;
    const { tokenizer } = base;
    const prepared = prepareLanguageModelDataset(data[split], {
      tokenizer,
      eosTokenId: tokenizer.eosTokenId ?? null,
      maxLength,
    });
    const place = (row: number): RowPlace => data.places[split][row]!;
    cut.push(...prepared.cutRows.map(place));
    leftOut.push(...prepared.leftOutRows.map(place));
    return prepared.dataset;
  };
  const [train, validation, test] = [prepare('train'), prepare('validation'), prepare('test')];
  return {
    train: packing ? packRows(train, { maxLength }) : train,
    ...{ validation, test, cut, leftOut },
    texts: { train: train.numRows, validation: validation.numRows, test: test.numRows },
  };
}

/** What becomes of the texts, in lines; the second list is of warnings. */
export function describeTexts(
  { train, texts, cut, leftOut }: LanguageModelSplits,
  { maxLength, packing }: { readonly maxLength: number; readonly packing: boolean },
): { readonly lines: string[]; readonly warnings: string[] } {
  const { mean, median, p95, max } = lengthSummary(train.column('input_ids').map((ids) => ids.length));
  const counts = Object.entries(texts).map(([split, count]) => `${count.toLocaleString('en-US')} ${split}`);
  const lines = [
    `${counts.join(', ')} texts`,
    `${packing ? `packed into ${train.numRows} rows; ` : ''}tokens a row: mean ${mean.toFixed(1)}, median ${median}, p95 ${p95.toFixed(1)}, max ${max}`,
  ];
  const warnings = [
    ...(cut.length === 0 ? [] : [`${cut.length} texts were cut to ${maxLength} tokens: ${someOf(cut.map(placeOf))}`]),
    ...(leftOut.length === 0
      ? []
      : [`${leftOut.length} texts have nothing to be learnt and are left out: ${someOf(leftOut.map(placeOf))}`]),
  ];
  return { lines, warnings };
}

/** Pads texts to batches, packed ones taken apart. */
export function languageModelCollator(
  { padTokenId }: BaseModel,
  { padding, paddingSide, maxLength }: PaddingSettings,
): DataCollatorForLanguageModeling {
  return new DataCollatorForLanguageModeling({ padTokenId, paddingSide, padding, maxLength });
}
