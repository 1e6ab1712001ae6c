import { loadLanguageModelDataset, type LanguageModelDataset, type LanguageModelDatasetOptions } from '@qlora-js/data';
import {
  fineTuneLanguageModel as fineTuneInMemory,
  type FineTunedLanguageModel,
  type PrepareLanguageModelOptions,
} from '../run/fine-tune-language-model';
import { generationCode } from '../saving/language-model-folder';
import { fineTuneSettings } from '../run/settings';
import type { DataSettings } from './fine-tune-classifier';
import type { HubOptions } from './open-base';
import { findData } from './open-data';
import { finishRun, openRun, type RunFolderOptions } from './open-run';

/** How texts are named and read. */
export type TextSettings = Omit<LanguageModelDatasetOptions, 'testData' | 'validation'> &
  Pick<DataSettings, 'testData' | 'validation' | 'dataConfig' | 'dataRevision'>;

/** A fine-tuning of a language model by names. */
export interface FineTuneLanguageModelFolderOptions
  extends RunFolderOptions, Pick<PrepareLanguageModelOptions, 'packing'> {
  /** A file, a folder, `-`, a hub id (`datasets/organisation/name`), or texts that are loaded already. */
  readonly data: string | LanguageModelDataset;
  /** How the texts are read. */
  readonly dataOptions?: TextSettings;
}

/**
 * From names to an adapter that writes, in a folder; as `fineTuneClassifier`.
 * @throws FinetuneError, DataError, HubError, TrainerError naming what is wrong and what to do
 */
export async function fineTuneLanguageModel(
  options: FineTuneLanguageModelFolderOptions,
): Promise<FineTunedLanguageModel> {
  const opened = await openRun(options, (hub, seed) => loadTexts(options.data, { seed, ...options.dataOptions, hub }));
  const { quantization } = fineTuneSettings(options);
  const { packing } = options;
  return finishRun(options, opened, {
    fineTune: () => fineTuneInMemory({ ...opened.run, packing }),
    loadingCode: (folder, base) => generationCode(folder, base, quantization),
  });
}

async function loadTexts(
  data: string | LanguageModelDataset,
  { hub, testData, validation, dataConfig, dataRevision, ...reading }: TextSettings & { readonly hub: HubOptions },
): Promise<LanguageModelDataset> {
  if (typeof data !== 'string') return data;
  const find = (word: string): ReturnType<typeof findData> =>
    findData(word, { hub: { ...hub, revision: dataRevision }, config: dataConfig });
  return loadLanguageModelDataset(await find(data), {
    ...reading,
    ...(testData === undefined ? {} : { testData: await find(testData) }),
    ...(validation === undefined
      ? {}
      : { validation: typeof validation === 'string' ? await find(validation) : validation }),
  });
}
