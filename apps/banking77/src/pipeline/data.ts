import {
  datasetSummary,
  type Dataset,
  type DataFiles,
  formatDatasetSummary,
  type LabelMap,
  loadTextDataset,
  prepareDataset,
  type PreparedRow,
} from '@qlora-js/data';
import { generateBankingIntents } from '@qlora-js/data/banking';
import { openData } from '@qlora-js/data/node';
import { resolveModel } from '@qlora-js/hub/node';
import type { GPT2Tokenizer } from '@qlora-js/tokenize-gpt2';
import type { RunOptions } from '../cli/options';

/** One labelled query: its text and the name of its label. */
export type LabelledText = { text: string; label: string };

export interface TextSplits {
  readonly name: string;
  readonly train: Dataset<LabelledText>;
  readonly validation: Dataset<LabelledText>;
  readonly test: Dataset<LabelledText>;
  readonly labelMap: LabelMap;
}

/** Hub id of the data set that `--data hub` means, and its files. */
const BANKING77_HUB_ID = 'datasets/PolyAI/banking77';
const BANKING77_FILES = ['categories.json', 'test.csv', 'train.csv'];

/** Texts and labels, split into training, validation and test rows. */
export async function loadTexts(
  options: Pick<RunOptions, 'data' | 'seed' | 'testSize' | 'stratify'>,
): Promise<TextSplits> {
  const { data, seed, testSize, stratify } = options;
  if (data === undefined) return generatedTexts(options);
  const files = data === 'hub' ? await banking77OnHub() : await openData(data);
  const task = 'single_label_classification';
  const { train, validation, test, labelMap } = await loadTextDataset(files, {
    task,
    seed,
    stratify,
    validation: testSize,
  });
  const labelled = (rows: typeof train): Dataset<LabelledText> =>
    rows.map(({ text, label }) => ({ text, label: label as string }));
  return {
    name: data,
    train: labelled(train),
    validation: labelled(validation),
    test: labelled(test),
    labelMap: labelMap!,
  };
}

async function banking77OnHub(): Promise<DataFiles> {
  const { id, open } = await resolveModel(BANKING77_HUB_ID);
  return { id, list: async () => BANKING77_FILES, open };
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
    truncated: train.cutRows.length + validation.cutRows.length + test.cutRows.length,
  };
}

/** A look at the data as the model gets it. */
export function describeData(splits: TokenSplits, labelMap: LabelMap): string {
  const { train, validation, test } = splits;
  return formatDatasetSummary(datasetSummary({ train, validation, test }, { labelMap }));
}
