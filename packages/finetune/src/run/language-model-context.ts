import type { LanguageModelDataset } from '@qlora-js/data';
import type { CausalLanguageModel } from '@qlora-js/gpt2';
import type { LanguageModelSplits } from '../data/language-model-rows';
import type { TrainingContext } from './context';

/** What every stage of a language model after loading works with; `prepareLanguageModel` makes it. */
export interface LanguageModelContext extends TrainingContext<CausalLanguageModel> {
  /** The texts. */
  readonly data: LanguageModelDataset;
  /** The same as token ids. */
  readonly splits: LanguageModelSplits;
}
