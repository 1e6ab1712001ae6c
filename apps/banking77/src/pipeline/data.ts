import {
  datasetSummary,
  type Dataset,
  formatDatasetSummary,
  type LabelMap,
  loadBanking77,
  prepareDataset,
  trainTestSplit,
  type LabelledText,
  type PreparedRow,
} from '@qlora-js/data';
import { generateBankingIntents } from '@qlora-js/data/banking';
import type { ModelFiles } from '@qlora-js/hub';
import { folderFiles, resolveModel } from '@qlora-js/hub/node';
import type { GPT2Tokenizer } from '@qlora-js/tokenize-gpt2';
import type { RunOptions } from '../cli/options';

export interface TextSplits {
  readonly name: string;
  readonly train: Dataset<LabelledText>;
  readonly validation: Dataset<LabelledText>;
  readonly test: Dataset<LabelledText>;
  readonly labelMap: LabelMap;
}

/** Hub id of the data set that `--data hub` means. */
const BANKING77_HUB_ID = 'datasets/PolyAI/banking77';

/** Texts and labels, split into training, validation and test rows. */
export async function loadTexts(
  options: Pick<RunOptions, 'data' | 'seed' | 'testSize' | 'stratify'>,
): Promise<TextSplits> {
  const { data, seed, testSize, stratify } = options;
  if (data === undefined) return generatedTexts(options);
  const files: ModelFiles = data === 'hub' ? await resolveModel(BANKING77_HUB_ID) : await folderFiles(data);
  const { train: all, test, labelMap } = await loadBanking77(files);
  const { train, test: validation } = trainTestSplit(all, {
    testSize,
    seed,
    ...(stratify ? { stratifyBy: 'label' } : {}),
  });
  return { name: data, train, validation, test, labelMap };
}

function generatedTexts({ seed }: Pick<RunOptions, 'seed'>): TextSplits {
  const { train, validation, test, labelMap } = generateBankingIntents({ seed });
  return { name: 'generated banking intents', train, validation, test, labelMap };
}

export interface TokenSplits {
  readonly train: Dataset<PreparedRow>;
  readonly validation: Dataset<PreparedRow>;
  readonly test: Dataset<PreparedRow>;
  readonly truncated: number;
}

/** Columns text, label -> input_ids, attention_mask, label, for every split. */
export function tokenize(texts: TextSplits, tokenizer: GPT2Tokenizer, maxLength: number): TokenSplits {
  const prepare = (rows: Dataset<LabelledText>, source: string) =>
    prepareDataset(rows, { tokenizer, labelMap: texts.labelMap, maxLength, source });
  const train = prepare(texts.train, 'train');
  const validation = prepare(texts.validation, 'validation');
  const test = prepare(texts.test, 'test');
  return {
    train: train.dataset,
    validation: validation.dataset,
    test: test.dataset,
    truncated: train.truncated + validation.truncated + test.truncated,
  };
}

/** A look at the data as the model gets it. */
export function describeData(splits: TokenSplits, labelMap: LabelMap): string {
  const { train, validation, test } = splits;
  return formatDatasetSummary(datasetSummary({ train, validation, test }, { labelMap }));
}
