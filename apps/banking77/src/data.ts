import type { DataFiles, Dataset, TextDataset, TextRow } from '@qlora-js/data';
import { loadTextDataset } from '@qlora-js/data';
import { type BankingQuery, generateBankingIntents } from '@qlora-js/data/banking';
import type { TrainValues } from '@qlora-js/cli';
import { resolveModel } from '@qlora-js/hub/node';

/** Hub id of the data set that `--data hub` means, and its files. */
const BANKING77_HUB_ID = 'datasets/PolyAI/banking77';
const BANKING77_FILES = ['categories.json', 'test.csv', 'train.csv'];

/** The generated banking queries where no data are named, Banking77 itself for `hub`; anything else is found as everywhere. */
export async function findBankingData({
  data,
  seed,
  testSize,
  stratify,
}: Pick<TrainValues, 'data' | 'seed' | 'testSize' | 'stratify'>): Promise<TextDataset | undefined> {
  if (data === undefined) return generatedQueries(seed);
  if (data !== 'hub') return undefined;
  const model = await resolveModel(BANKING77_HUB_ID);
  const files: DataFiles = { id: model.id, list: async () => BANKING77_FILES, open: (path) => model.open(path) };
  return loadTextDataset(files, { seed, stratify, validation: testSize });
}

function generatedQueries(seed: number): TextDataset {
  const { train, validation, test, labelMap } = generateBankingIntents({ seed });
  const placed = (rows: Dataset<BankingQuery>, file: string): Dataset<TextRow> =>
    rows.map(({ text, label }, row): TextRow => ({ text, label, place: { file, number: row + 1, numbering: 'row' } }));
  return {
    name: 'generated banking intents',
    task: 'single_label_classification',
    columns: { text: 'text', label: 'label', reasons: [] },
    labelMap,
    train: placed(train, 'train'),
    validation: placed(validation, 'validation'),
    test: placed(test, 'test'),
    skipped: [],
    notes: [],
  };
}
