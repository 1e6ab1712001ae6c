import type { ModelFiles } from '@qlora-js/hub';
import type { Gpt2Config } from '../config/config';
import { GPT2LMHeadModel } from '../model/language-model';
import { GPT2 } from './load';
import { loadLanguageModel, type Loaded, type LoadHeadOptions } from './load-model';

/**
 * A language model from a checkpoint. Its head is the token embedding, also where the file holds a copy of it, unless
 * config.json says tie_word_embeddings false.
 *
 * @throws Gpt2Error BAD_ARGUMENT for an embedding in float16 that is the head; as `loadGpt2`
 */
export function loadGpt2LMHeadModel(
  files: ModelFiles,
  options: LoadHeadOptions<Gpt2Config> = {},
): Promise<Loaded<GPT2LMHeadModel>> {
  return loadLanguageModel(GPT2, files, options, (backbone, lmHead) => new GPT2LMHeadModel(backbone, lmHead));
}
